import type { Rooms } from "../core/rooms.ts";
import type { Context } from "./context.ts";

/** The context of one execution that many viewers would share. */
export interface SharedContext {
  readonly context: Context;
  /** Ends the watch: from now on touching is noted but no longer thrown. */
  finish(): { readonly touched: boolean };
}

/** Thrown at a resolver that looks at who is asking while its result would be shared. */
class ViewerRead extends Error {
  override readonly name = "ViewerRead";
}

/** What is the same for everyone, and so may be looked at. */
const SHARED_KEYS: ReadonlySet<PropertyKey> = new Set<keyof Context>(["rooms"]);

/**
 * Makes a context that refuses everything that may differ between viewers.
 *
 * Touching anything but the named keys sets a flag and throws. The flag is what
 * counts: a resolver's own `try` can hide the throw. Made anew for each execution, or
 * what one execution leaves in it would reach the next.
 */
export function createSharedContext(rooms: Rooms): SharedContext {
  let touched = false;
  let finished = false;
  const trip = (key: PropertyKey): never | undefined => {
    touched = true;
    // A resolver's leftover timer has nobody to throw to: it would end the process.
    if (finished) return undefined;
    throw new ViewerRead(`Cannot share this execution: a resolver read context.${String(key)}`);
  };
  const context = new Proxy({ rooms }, {
    get(target, key) {
      if (SHARED_KEYS.has(key)) return Reflect.get(target, key);
      // Symbols are asked for by the language and by inspectors, not by resolvers.
      return typeof key === "symbol" ? undefined : trip(key);
    },
    has: (_target, key) => SHARED_KEYS.has(key) || trip(key) !== undefined,
    ownKeys(target) {
      trip("*");
      return Reflect.ownKeys(target);
    },
  });
  return {
    // The proxy stands in for the viewer by refusing to show one.
    context: context as Context,
    finish() {
      finished = true;
      return { touched };
    },
  };
}
