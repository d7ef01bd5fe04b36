import { RealtimeError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import type { Stream } from "./stream.ts";

/** What may be published in one turn of the event loop: so many messages that cost 1. */
const PER_TURN = 64;
/** Messages that may wait: some seconds of publishing, and some hundred megabytes. */
const MAX_WAITING = 200_000;

/** Somebody who waits. */
interface Waiting {
  readonly cost: number;
  readonly enter: () => void;
}

/**
 * Shares a node's publishing out among streams, so much a turn of the event loop.
 *
 * Without it a burst would be published in one go: no other room would be served, and no
 * socket drained, until it is over, and readers that keep up would be taken for slow
 * ones. Whoever comes beyond a turn's share waits; of those who wait each stream has one
 * in its turn, in the order they came.
 */
export class PublishTurns {
  /** What is left of this turn's share; the last one to enter may cost more. */
  #left = PER_TURN;
  #scheduled = false;
  #waitingCount = 0;
  /** Who waits, by stream; the stream whose turn it is first. */
  readonly #waiting = new Map<Stream, Fifo<Waiting>>();

  /**
   * Comes in: at once, which is undefined, or when the promise resolves. Cost: how often
   * the message is executed and the like; 1 for the cheapest.
   *
   * @throws {RealtimeError} `ENGINE_UNAVAILABLE` when too many wait already
   */
  enter(stream: Stream, cost: number): Promise<void> | undefined {
    this.#schedule();
    if (this.#left > 0) {
      this.#left -= cost;
      return undefined;
    }
    const line = this.#lineOf(stream);
    this.#waitingCount++;
    return new Promise((resolve) => line.push({ cost, enter: resolve }));
  }

  /** Lets everybody in who waits, and who still comes. Resolves when they have published. */
  drain(): Promise<void> {
    this.#left = Infinity;
    for (const line of this.#waiting.values()) {
      for (let next = line.shift(); next !== undefined; next = line.shift()) next.enter();
    }
    this.#waiting.clear();
    this.#waitingCount = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The line of a stream. When many wait, the longest lines are refused: a burst in one room closes no other. */
  #lineOf(stream: Stream): Fifo<Waiting> {
    let line = this.#waiting.get(stream);
    if (line === undefined) this.#waiting.set(stream, line = new Fifo());
    const isFull = this.#waitingCount >= MAX_WAITING && line.length >= MAX_WAITING / this.#waiting.size;
    if (!isFull) return line;
    const message = `Cannot publish: ${line.length} messages to this room wait for their turn already`;
    throw new RealtimeError("ENGINE_UNAVAILABLE", message, { retryAfterMs: 1_000 });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#left < PER_TURN) this.#beginTurn();
    });
  }

  #beginTurn(): void {
    this.#left = PER_TURN;
    // What is put back comes to the end: the others come first.
    for (const [stream, line] of this.#waiting) {
      this.#waiting.delete(stream);
      const { cost, enter } = line.shift()!;
      this.#waitingCount--;
      enter();
      if (line.length > 0) this.#waiting.set(stream, line);
      this.#left -= cost;
      if (this.#left <= 0) break;
    }
    // What this turn has taken of its share is given back with the next one.
    if (this.#left < PER_TURN) this.#schedule();
  }
}
