import MemoryStorage from "rate-limiter-flexible/memory-storage";
import type { Clock } from "../core/clock.ts";
import type { LocalRateLimiter, Rate } from "../core/rate_limiter.ts";

/** Keys counted apart in one window. Those beyond are counted together: who makes up names pays for it. */
const MAX_KEYS = 50_000;
/** The key of those. No user id and no address is empty. */
const OTHERS = "";
/** What rate-limiter-flexible takes for: until it is deleted. */
const NO_END = 0;

/**
 * A limiter that keeps its counts in this process, by rate-limiter-flexible.
 *
 * All keys share one window, which begins with what is counted first after the last one
 * has ended; then all counts are dropped together. RateLimiterMemory, which allows as
 * many (a test compares the two), has a window for each key: a timer each, which costs
 * more than all else that is done for a message, and a promise for an answer, so that
 * what a connection sends in one chunk would no longer be done in its order.
 */
export class MemoryLimiter implements LocalRateLimiter {
  readonly #clock: Clock;
  readonly #count: number;
  readonly #windowMs: number;
  #counts = new MemoryStorage();
  #keys = 0;
  #beganMs = -Infinity;

  constructor(clock: Clock, { count, windowMs }: Rate) {
    this.#clock = clock;
    this.#count = count;
    this.#windowMs = windowMs;
  }

  /** Keys that are counted apart now. */
  get size(): number {
    return this.#keys;
  }

  take(key: string, count = 1): number {
    const leftMs = this.#leftMs() || this.#begin();
    const counted = this.#counted(key);
    const { consumedPoints, isFirstInDuration } = this.#counts.incrby(counted, count, NO_END);
    if (isFirstInDuration) this.#keys++;
    if (consumedPoints <= this.#count) return 0;
    // What was refused is not counted, or what is given back later would allow nothing.
    this.#counts.incrby(counted, -count, NO_END);
    return leftMs;
  }

  giveBack(key: string, takenMs: number): void {
    // What was taken in another window is forgotten with it.
    if (this.#leftMs() === 0 || takenMs < this.#beganMs) return;
    const counted = this.#counted(key);
    if ((this.#counts.get(counted)?.consumedPoints ?? 0) > 0) this.#counts.incrby(counted, -1, NO_END);
  }

  look(key: string): number {
    const leftMs = this.#leftMs();
    if (leftMs === 0) return 0;
    return (this.#counts.get(this.#counted(key))?.consumedPoints ?? 0) >= this.#count ? leftMs : 0;
  }

  close(): void {
    this.#begin();
  }

  /** What is left of the window; 0 once it has ended, also when the clock has been set back before it. */
  #leftMs(): number {
    const passedMs = this.#clock.now() - this.#beganMs;
    return passedMs >= 0 && passedMs < this.#windowMs ? this.#windowMs - passedMs : 0;
  }

  #begin(): number {
    this.#counts = new MemoryStorage();
    this.#keys = 0;
    this.#beganMs = this.#clock.now();
    return this.#windowMs;
  }

  #counted(key: string): string {
    return this.#keys < MAX_KEYS || this.#counts.get(key) !== null ? key : OTHERS;
  }
}
