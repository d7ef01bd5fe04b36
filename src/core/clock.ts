/** Ends what {@linkcode Clock.after} or {@linkcode Clock.every} began. Calling it twice is safe. */
export type Cancel = () => void;

/**
 * The only source of time in the project's own logic.
 *
 * A callback that throws is a bug of its owner: timers have nobody to throw to,
 * so every callback handed in here deals with its own errors.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May jump; streams guard against that themselves. */
  now(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now, unless cancelled first. */
  after(delayMs: number, callback: () => void): Cancel;
  /** Calls `callback` each `periodMs` milliseconds until cancelled. */
  every(periodMs: number, callback: () => void): Cancel;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
};
