import type { Traffic } from "./traffic.ts";
import type { Trouble } from "./trouble.ts";

/** How fast, and how long. */
export interface PaceOptions {
  readonly traffic: Traffic;
  readonly trouble: Trouble;
  readonly perSecond: number;
  readonly seconds: number;
  /** Called for each message with how late it goes out. */
  readonly onLate?: (ms: number) => void;
}

/** What may be under way; a server with more before it does not keep up. */
const MOST_IN_FLIGHT = 256;

/**
 * The moments at which messages are due, by the clock alone: a server that is late
 * does not put them off, so its waiting messages count with all they wait.
 *
 * Ends early when the server falls far behind.
 */
export async function* pace(options: PaceOptions): AsyncGenerator<{ readonly dueMs: number }, void> {
  const { traffic, trouble, perSecond, seconds, onLate } = options;
  const startMs = performance.now();
  for (let index = 0; index < perSecond * seconds && traffic.inFlight <= MOST_IN_FLIGHT; index++) {
    const dueMs = startMs + index * 1_000 / perSecond;
    let waitMs: number;
    // A timer counts whole milliseconds, and may be early by part of one.
    while ((waitMs = dueMs - performance.now()) > 0) await trouble.sleep(Math.max(1, waitMs));
    onLate?.(-waitMs);
    yield { dueMs };
  }
}
