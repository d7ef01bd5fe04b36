import { RealtimeError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import type { Stream } from "./stream.ts";

/** Messages published in one turn of the event loop. */
const PER_TURN = 64;
/** Messages that may wait: some seconds of publishing, and some hundred megabytes. */
const MAX_WAITING = 200_000;

/**
 * Shares a node's publishing out among streams, some messages a turn of the event loop.
 *
 * Without it a burst would be published in one go: no other room would be served, and no
 * socket drained, until it is over, and readers that keep up would be taken for slow
 * ones. Whoever comes beyond a turn's share waits; of those who wait each stream has one
 * in its turn, in the order they came.
 */
export class PublishTurns {
  /** How many may still publish in this turn. */
  #left = PER_TURN;
  #scheduled = false;
  #waitingCount = 0;
  /** Who waits, by stream; the stream whose turn it is first. */
  readonly #waiting = new Map<Stream, Fifo<() => void>>();

  /**
   * Comes in: at once, which is undefined, or when the promise resolves.
   *
   * @throws {RealtimeError} `ENGINE_UNAVAILABLE` when too many wait already
   */
  enter(stream: Stream): Promise<void> | undefined {
    this.#schedule();
    if (this.#left > 0) {
      this.#left--;
      return undefined;
    }
    if (this.#waitingCount >= MAX_WAITING) {
      const message = `Cannot publish: ${MAX_WAITING} messages wait for their turn already`;
      throw new RealtimeError("ENGINE_UNAVAILABLE", message, { retryAfterMs: 1_000 });
    }
    this.#waitingCount++;
    return new Promise((resolve) => {
      let line = this.#waiting.get(stream);
      if (line === undefined) this.#waiting.set(stream, line = new Fifo());
      line.push(resolve);
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#beginTurn();
    });
  }

  #beginTurn(): void {
    this.#left = PER_TURN;
    // What is put back comes to the end: the others come first.
    for (const [stream, line] of this.#waiting) {
      this.#waiting.delete(stream);
      this.#waitingCount--;
      line.shift()!();
      if (line.length > 0) this.#waiting.set(stream, line);
      if (--this.#left === 0) break;
    }
    // What this turn has taken of its share is given back with the next one.
    if (this.#left < PER_TURN) this.#schedule();
  }
}
