import { AsyncLocalStorage } from "node:async_hooks";

/** Runs a function in the asynchronous context in which this was made. */
export type CleanContext = <Result>(run: () => Result) => Result;

/**
 * Keeps the asynchronous context of this moment for later.
 *
 * An event is published from within its sender's request: without it the sender's
 * AsyncLocalStorage would be visible to resolvers whose result goes to everybody.
 */
export function createCleanContext(): CleanContext {
  return AsyncLocalStorage.snapshot();
}
