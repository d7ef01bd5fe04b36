import type { Cancel, Clock } from "./clock.ts";

/** Something that is good until a moment. */
export interface Expiring {
  /** Called once, when that moment has come. Must not throw. */
  expire(): void;
}

/** Longer than a timer can wait: it is asked again then. */
const MAX_WAIT_MS = 2_000_000_000;

/**
 * Ends what has a moment of its own to end, with one timer for all.
 *
 * Tokens end at whole seconds, so those that end together are many, and the moments few.
 */
export class Expiries {
  readonly #clock: Clock;
  readonly #leewayMs: number;
  readonly #moments = new Map<number, Set<Expiring>>();
  readonly #momentOf = new Map<Expiring, number>();
  #next = Infinity;
  #cancel: Cancel | undefined;

  /** Each has `leewayMs` more than it says. */
  constructor(clock: Clock, leewayMs = 0) {
    this.#clock = clock;
    this.#leewayMs = leewayMs;
  }

  /** How many there are that will end. */
  get size(): number {
    return this.#momentOf.size;
  }

  /** Says when it ends, in milliseconds since the Unix epoch; null: never. What was said before does not count. */
  set(one: Expiring, expiresAtMs: number | null): void {
    this.delete(one);
    if (expiresAtMs === null) return;
    const atMs = expiresAtMs + this.#leewayMs;
    this.#momentOf.set(one, atMs);
    const sharing = this.#moments.get(atMs);
    if (sharing === undefined) this.#moments.set(atMs, new Set([one]));
    else sharing.add(one);
    if (atMs < this.#next) this.#wait(atMs);
  }

  /** Forgets it. Safe for what is not there. */
  delete(one: Expiring): void {
    const moment = this.#momentOf.get(one);
    if (moment === undefined) return;
    this.#momentOf.delete(one);
    const sharing = this.#moments.get(moment);
    sharing?.delete(one);
    if (sharing?.size === 0) this.#moments.delete(moment);
  }

  /** Forgets all. */
  close(): void {
    this.#cancel?.();
    this.#moments.clear();
    this.#momentOf.clear();
    this.#next = Infinity;
  }

  #wait(moment: number): void {
    this.#cancel?.();
    this.#next = moment;
    const delayMs = Math.max(0, Math.min(moment - this.#clock.now(), MAX_WAIT_MS));
    this.#cancel = this.#clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#next = Infinity;
    const now = this.#clock.now();
    for (const [moment, sharing] of [...this.#moments]) {
      if (moment > now) continue;
      this.#moments.delete(moment);
      for (const one of sharing) {
        this.#momentOf.delete(one);
        one.expire();
      }
    }
    // Found anew: what has been forgotten since leaves the timer to go off for nothing.
    let next = Infinity;
    for (const moment of this.#moments.keys()) if (moment < next) next = moment;
    if (next < this.#next) this.#wait(next);
  }
}
