import type { Cancel, Clock } from "../core/clock.ts";

/** Something whose members are told where they are, those of one phase at a time. */
export interface Told {
  tellMoved(phase: number): void;
}

/** How long members wait to be told, in milliseconds: many events are told of at once. */
const PERIOD_MS = 1_000;
/** Members are told in so many groups, so that thousands of Pings and Pongs do not come at once. */
export const PHASES = 16;

/** Tells the members of all selections that have moved, once a second each: one timer for all. */
export class Tellings {
  readonly #clock: Clock;
  /** For each that has moved, the phases that are still to be told of it. */
  readonly #left = new Map<Told, number>();
  #phase = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Its members have moved: each of them will be told within a second. */
  note(told: Told): void {
    this.#left.set(told, PHASES);
    this.#cancel ??= this.#schedule();
  }

  /** Tells nobody any more. */
  close(): void {
    this.#cancel?.();
    this.#left.clear();
  }

  #schedule(): Cancel {
    return this.#clock.after(PERIOD_MS / PHASES, () => this.#tell());
  }

  #tell(): void {
    const phase = this.#phase;
    this.#phase = (phase + 1) % PHASES;
    for (const [told, left] of this.#left) {
      if (left === 1) this.#left.delete(told);
      else this.#left.set(told, left - 1);
      told.tellMoved(phase);
    }
    this.#cancel = this.#left.size === 0 ? undefined : this.#schedule();
  }
}
