import type { MemoryStream } from "./memory_stream.ts";

/**
 * Streams in the order they were last used.
 *
 * A linked list through the streams themselves: every step is O(1), however many
 * there are, and the oldest is always at hand. A stream is in at most one order.
 */
export class StreamOrder {
  #oldest: MemoryStream | undefined;
  #newest: MemoryStream | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): MemoryStream | undefined {
    return this.#oldest;
  }

  /** Puts a stream behind all others, out of whichever order it was in. */
  moveToEnd(stream: MemoryStream): void {
    if (this.#newest === stream) return;
    stream.order?.remove(stream);
    stream.order = this;
    stream.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = stream;
    else this.#newest.newer = stream;
    this.#newest = stream;
    this.#size++;
  }

  /** Takes a stream out; one that is not in this order stays where it is. */
  remove(stream: MemoryStream): void {
    if (stream.order !== this) return;
    const { older, newer } = stream;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    stream.order = undefined;
    stream.older = undefined;
    stream.newer = undefined;
    this.#size--;
  }
}
