import type { Presence } from "../../src/core/presence.ts";

/** How a call is to fail. */
export interface PresenceFailure {
  readonly error: Error;
  /** Whether it fails after it has been executed: its answer is lost. */
  readonly afterwards: boolean;
}

/** Asked before each call whether it is to fail. */
export type ChooseFailure = (method: keyof Presence) => PresenceFailure | undefined;

/** A presence whose calls fail as a test chooses. */
export function createFailingPresence(presence: Presence, choose: ChooseFailure): Presence {
  const failing = <Args extends unknown[], T>(method: keyof Presence, call: (...args: Args) => Promise<T>) => {
    return async (...args: Args): Promise<T> => {
      const failure = choose(method);
      if (failure === undefined) return await call(...args);
      if (failure.afterwards) await call(...args);
      throw failure.error;
    };
  };
  return {
    enter: failing("enter", presence.enter),
    keep: failing("keep", presence.keep),
    exit: failing("exit", presence.exit),
    lease: failing("lease", presence.lease),
    endLease: failing("endLease", presence.endLease),
    remove: failing("remove", presence.remove),
    setState: failing("setState", presence.setState),
    member: failing("member", presence.member),
    members: failing("members", presence.members),
    roomsOf: failing("roomsOf", presence.roomsOf),
  };
}
