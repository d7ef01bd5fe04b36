import type { Cancel, Clock } from "../core/clock.ts";

/** A peer whose silence is noticed. */
export interface Pulse {
  /** Pings since the peer was last heard; its owner sets it to 0 when it hears the peer. */
  silentPings: number;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** The peer has been silent for too long. Its owner ends it, and removes it from the heartbeat. */
  onSilent(): void;
}

/** The peers of a period are asked in this many groups, so that they do not all answer at once. */
const GROUPS = 16;
const MAX_SILENT_PINGS = 2;

/** Pings every peer once a period, and ends those silent for two pings: one timer for all. */
export class Heartbeat {
  readonly #groups: Set<Pulse>[] = Array.from({ length: GROUPS }, () => new Set());
  readonly #clock: Clock;
  readonly #periodMs: number;
  #cancel: Cancel | undefined;
  #turn = 0;
  #joined = 0;

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** Begins to beat. Called once. */
  open(): void {
    this.#cancel = this.#clock.every(this.#periodMs / GROUPS, () => this.#beat());
  }

  /** Watches a peer until it is removed. */
  add(pulse: Pulse): void {
    this.#groups[this.#joined++ % GROUPS]!.add(pulse);
  }

  /** Watches it no more. Safe to call twice. */
  remove(pulse: Pulse): void {
    for (const group of this.#groups) if (group.delete(pulse)) return;
  }

  close(): void {
    this.#cancel?.();
  }

  #beat(): void {
    for (const pulse of this.#groups[this.#turn++ % GROUPS]!) {
      if (pulse.silentPings >= MAX_SILENT_PINGS) {
        pulse.onSilent();
      } else {
        pulse.silentPings++;
        pulse.ping();
      }
    }
  }
}
