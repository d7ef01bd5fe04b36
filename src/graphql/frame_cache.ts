import type { Cancel, Clock } from "../core/clock.ts";
import type { LiveFrame } from "./live_frame.ts";

/** Characters of frames kept at once, of all selections together. Each may take three bytes and more, with its encodings. */
const MAX_CHARACTERS = 2_097_152;
/** How long frames are kept once nobody has caught up any more, in milliseconds. */
const IDLE_MS = 10_000;

/**
 * Frames that were read from history, for the next who missed the same.
 *
 * After a restart most clients come back from the same place: they miss the same events,
 * with the same cursors. Those longest unused go first, and all of them a moment after
 * the last one came back.
 */
export class FrameCache {
  readonly #clock: Clock;
  readonly #frames = new Map<string, LiveFrame>();
  #characters = 0;
  #used = false;
  #cancelSweep: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many frames are kept. */
  get size(): number {
    return this.#frames.size;
  }

  get(key: string): LiveFrame | undefined {
    const frame = this.#frames.get(key);
    if (frame === undefined) return undefined;
    this.#used = true;
    // Put last again: the order of the map is the order of use.
    this.#frames.delete(key);
    this.#frames.set(key, frame);
    return frame;
  }

  put(key: string, frame: LiveFrame): void {
    if (frame.text.length > MAX_CHARACTERS / 16) return;
    this.#forget(key);
    this.#frames.set(key, frame);
    this.#characters += frame.text.length;
    this.#used = true;
    for (const oldest of this.#frames.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.#forget(oldest);
    }
    this.#cancelSweep ??= this.#clock.every(IDLE_MS, () => this.#sweep());
  }

  /** Keeps nothing any more. */
  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#frames.clear();
    this.#characters = 0;
  }

  #sweep(): void {
    if (!this.#used) this.close();
    this.#used = false;
  }

  #forget(key: string): void {
    const frame = this.#frames.get(key);
    if (frame === undefined) return;
    this.#frames.delete(key);
    this.#characters -= frame.text.length;
  }
}
