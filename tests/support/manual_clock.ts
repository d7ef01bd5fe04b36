import type { Cancel, Clock } from "../../src/core/clock.ts";

interface Timer {
  readonly callback: () => void;
  readonly periodMs: number | undefined;
  dueAtMs: number;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  /** Time passed, by which timers run; setting the clock does not change it. */
  #elapsedMs = 0;
  #setByMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#setByMs = startMs;
  }

  /** How many timers have been started and neither run out nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#setByMs + this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#start({ callback, periodMs: undefined, dueAtMs: this.#elapsedMs + delayMs });
  }

  every(periodMs: number, callback: () => void): Cancel {
    return this.#start({ callback, periodMs, dueAtMs: this.#elapsedMs + periodMs });
  }

  /** Lets time pass: runs what falls due, in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (let timer = this.#firstDue(endMs); timer !== undefined; timer = this.#firstDue(endMs)) {
      this.#elapsedMs = timer.dueAtMs;
      if (timer.periodMs === undefined) this.#timers.delete(timer);
      else timer.dueAtMs += timer.periodMs;
      timer.callback();
    }
    this.#elapsedMs = endMs;
  }

  /** Sets the clock forward, or back by a negative number, while no time passes. */
  jump(ms: number): void {
    this.#setByMs += ms;
  }

  #start(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers due at the same time run in the order they were started. */
  #firstDue(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAtMs <= endMs && (first === undefined || timer.dueAtMs < first.dueAtMs)) first = timer;
    }
    return first;
  }
}
