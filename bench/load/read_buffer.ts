import { Buffer } from "node:buffer";

const FIRST_BYTES = 16_384;
/** What it grows to of itself; a message that needs more gets it. */
const LARGEST_BYTES = 524_288;

/**
 * Bytes read and not yet taken. Grows to what does not fit, and when a read has filled
 * it; moves what is left to its front before each read.
 */
export class ReadBuffer {
  /** A `Buffer` for the sake of its native `compare`. */
  bytes: Buffer<ArrayBuffer> = allocate(FIRST_BYTES);
  /** Where the bytes not yet taken begin, and end. */
  taken = 0;
  filled = 0;
  #wasFull = false;

  /** Room for a read of at least that many bytes. What was found in the buffer before is void from here on. */
  space(atLeast = 1): Uint8Array<ArrayBuffer> {
    if (this.taken > 0) {
      if (this.taken < this.filled) this.bytes.copyWithin(0, this.taken, this.filled);
      this.filled -= this.taken;
      this.taken = 0;
    }
    if (this.#wasFull && this.bytes.length < LARGEST_BYTES) this.#grow(2 * this.bytes.length);
    if (this.bytes.length - this.filled < atLeast) this.#grow(this.filled + atLeast);
    return this.filled === 0 ? this.bytes : this.bytes.subarray(this.filled);
  }

  /** Says how many bytes were put into `space()`. */
  fill(count: number): void {
    this.filled += count;
    this.#wasFull = this.filled === this.bytes.length;
  }

  /** Takes an HTTP head off the front; undefined while it is not whole. */
  takeHead(): string | undefined {
    const text = this.bytes.toString("latin1", this.taken, this.filled);
    const length = text.indexOf("\r\n\r\n");
    if (length < 0) return undefined;
    this.taken += length + 4;
    return text.slice(0, length);
  }

  #grow(bytes: number): void {
    const larger = allocate(Math.max(bytes, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.filled));
    this.bytes = larger;
  }
}

/** Not from Node's pool, which would share one array between many buffers. */
function allocate(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(bytes));
}
