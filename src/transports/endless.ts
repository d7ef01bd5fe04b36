import type { RunningOperation } from "./running_operation.ts";

/**
 * What makeServer keeps under the id of a live subscription: an iterable that never yields.
 *
 * Its events go to the client past makeServer, which only says when the operation is
 * completed: by `return`. It is put where makeServer would put it and never iterated:
 * a loop that waits for its next event would be a good part of each subscription, and
 * settling that loop would say something of an id that may be in use again.
 */
export class Endless implements AsyncGenerator<never, void, void> {
  readonly #operation: RunningOperation;

  constructor(operation: RunningOperation) {
    this.#operation = operation;
  }

  next(): Promise<IteratorResult<never, void>> {
    return new Promise(() => {});
  }

  return(): Promise<IteratorResult<never, void>> {
    this.#operation.end("COMPLETED");
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(): Promise<IteratorResult<never, void>> {
    return this.return();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
