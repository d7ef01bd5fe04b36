import type { Clock } from "../core/clock.ts";

/**
 * Makes a reading of the clock, in milliseconds, that never goes back.
 *
 * Ages are measured with it: when the clock is set back, what was stored before does
 * not live longer by as much. A clock set forward cannot be told from time passing.
 */
export function createSteadyTime(clock: Clock): () => number {
  let last = clock.now();
  let addedMs = 0;
  return () => {
    const now = clock.now();
    if (now < last) addedMs += last - now;
    last = now;
    return now + addedMs;
  };
}
