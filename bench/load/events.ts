import type { Buffer } from "node:buffer";
import type { Frame } from "./frame.ts";
import { ReadBuffer } from "./read_buffer.ts";

const LINE_FEED = 0x0a;

/**
 * Finds the events in an answer of chunks (RFC 9112, section 7.1). Chunks and events
 * need not begin and end together, so what the chunks hold is copied behind each other first.
 */
export class EventReader implements Frame {
  start = 0;
  end = 0;
  wireBytes = 0;
  readonly isDeflated = false;
  readonly #chunks: ReadBuffer;
  readonly #events = new ReadBuffer();
  /** Of the chunk under way, its line end included; 0 between chunks. */
  #missingBytes = 0;
  /** Where an event's end was not found yet. */
  #searched = 0;

  constructor(chunks: ReadBuffer) {
    this.#chunks = chunks;
  }

  get bytes(): Buffer<ArrayBuffer> {
    return this.#events.bytes;
  }

  toText(): string {
    return this.bytes.toString("utf8", this.start, this.end);
  }

  /** Goes to the next event, without the empty line at its end; false when it is not whole yet. */
  next(): boolean {
    if (this.#find()) return true;
    while (this.#unpack());
    return this.#find();
  }

  #find(): boolean {
    const { bytes, taken, filled } = this.#events;
    let index = Math.max(taken, this.#searched);
    while (true) {
      index = findByte(bytes, LINE_FEED, index);
      if (index < 0 || index + 1 >= filled) break;
      if (bytes[index + 1] === LINE_FEED) {
        this.start = taken;
        this.end = index;
        this.wireBytes = index + 2 - taken;
        this.#events.taken = this.#searched = index + 2;
        return true;
      }
      index++;
    }
    this.#searched = Math.max(taken, filled - 1);
    return false;
  }

  /** Copies what there is of a chunk; false when there is nothing to copy. */
  #unpack(): boolean {
    if (this.#missingBytes === 0 && !this.#readSize()) return false;
    const { bytes, taken, filled } = this.#chunks;
    const count = Math.min(this.#missingBytes, filled - taken);
    if (count === 0) return false;
    // The last two bytes of a chunk are its line end.
    const content = Math.min(count, this.#missingBytes - 2);
    if (content > 0) {
      const before = this.#events.taken;
      const space = this.#events.space(content);
      this.#searched -= before;
      space.set(bytes.subarray(taken, taken + content));
      this.#events.fill(content);
    }
    this.#missingBytes -= count;
    this.#chunks.taken += count;
    return true;
  }

  #readSize(): boolean {
    const { bytes, taken, filled } = this.#chunks;
    const end = findByte(bytes, LINE_FEED, taken);
    if (end < 0 || end >= filled) return false;
    const line = bytes.toString("latin1", taken, end);
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`Cannot read a chunk: ${JSON.stringify(line)} is no size`);
    if (size === 0) throw new Error("Cannot go on: the server ended the stream");
    this.#chunks.taken = end + 1;
    this.#missingBytes = size + 2;
    return true;
  }
}

/** The method of typed arrays is part of the engine; that of `Buffer`, which hides it, is written in JavaScript. */
function findByte(bytes: Uint8Array, byte: number, from: number): number {
  return Uint8Array.prototype.indexOf.call(bytes, byte, from);
}
