import type { Rooms } from "../core/rooms.ts";
import type { Context } from "./context.ts";

/** Thrown at a resolver that looks at who is asking while its result would be shared. */
class ViewerRead extends Error {
  override readonly name = "ViewerRead";
}

/** What is the same for everyone, and so may be looked at. */
const SHARED_KEYS: ReadonlySet<PropertyKey> = new Set<keyof Context>(["rooms"]);

/**
 * Makes a context, for one execution that many viewers would share, that refuses
 * everything that may differ between them.
 *
 * Touching anything but the named keys calls `onTouched` and throws. The call is what
 * counts: a resolver's own `try` can hide the throw. It may come when the execution is
 * long over, from what a resolver left running. Made anew for each execution, or what
 * one execution leaves in it would reach the next.
 */
export function createSharedContext(rooms: Rooms, onTouched: () => void): Context {
  const trip = (key: PropertyKey): never => {
    onTouched();
    throw new ViewerRead(`Cannot share this execution: a resolver read context.${String(key)}`);
  };
  /**
   * Symbols are asked for by the language, by inspectors and by libraries that keep
   * their caches there. What is found is what this execution itself has put there.
   */
  const isOpen = (key: PropertyKey): boolean => typeof key === "symbol" || SHARED_KEYS.has(key);
  const context = new Proxy({ rooms }, {
    get: (target, key) => isOpen(key) ? Reflect.get(target, key) : trip(key),
    has: (target, key) => isOpen(key) ? Reflect.has(target, key) : trip(key),
    getOwnPropertyDescriptor: (target, key) => isOpen(key) ? Reflect.getOwnPropertyDescriptor(target, key) : trip(key),
    ownKeys: () => trip("*"),
  });
  // The proxy stands in for the viewer by refusing to show one.
  return context as Context;
}

/**
 * Keeps what resolvers left running from ending the process, until the function it gives is called.
 *
 * A timer or a promise that nobody waits for has nobody to throw to. Where it looks who
 * is asking it is stopped, as a resolver is, and that is all.
 */
export function stopLeftovers(): () => void {
  const listen = (event: ErrorEvent | PromiseRejectionEvent): void => {
    const thrown: unknown = "reason" in event ? event.reason : event.error;
    if (thrown instanceof ViewerRead) event.preventDefault();
  };
  globalThis.addEventListener("error", listen);
  globalThis.addEventListener("unhandledrejection", listen);
  return () => {
    globalThis.removeEventListener("error", listen);
    globalThis.removeEventListener("unhandledrejection", listen);
  };
}
