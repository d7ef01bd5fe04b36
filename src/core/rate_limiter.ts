/** So many in so much time. */
export interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

/**
 * Counts what happens under a key, and says when it was too often.
 *
 * One that keeps its counts in this process answers at once; one that keeps them where
 * other nodes see them too may answer with a promise. What is refused makes no window
 * longer: whoever waits as long as it is told is allowed again.
 */
export interface RateLimiter<Wait = number | Promise<number>> {
  /** Counts one more, or so many. 0 when that is allowed; else how long it is not, in milliseconds. */
  take(key: string, count?: number): Wait;
  /** Counts one less, if what was taken then is counted still: what was allowed came to nothing. */
  giveBack(key: string, takenMs: number): void;
  /** As `take` would answer now; counts nothing. */
  look(key: string): Wait;
  /** Forgets everything. Calling it twice is safe. */
  close(): void;
}

/** A limiter that keeps its counts in this process. */
export type LocalRateLimiter = RateLimiter<number>;
