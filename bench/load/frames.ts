/** What a WebSocket frame carries (RFC 6455, section 5.2). */
export const OPCODES = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** Where a frame's payload stands: `bytes[start]` up to, not including, `bytes[end]`. Valid until the next frame. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const FINAL = 0x80;
const MASKED = 0x80;
const OPCODE_BITS = 0x0f;
const RESERVED_BITS = 0x70;
const LENGTH_16 = 126;
const BUFFER_BYTES = 16_384;

/** Finds the frames in what a server sends, without copying or allocating for any of them. */
export class FrameReader implements Frame {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  opcode = 0;
  start = 0;
  end = 0;
  #filled = 0;

  /** Room for the next read. Frames found before are void from here on. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.end > 0) {
      this.bytes.copyWithin(0, this.end, this.#filled);
      this.#filled -= this.end;
      this.end = 0;
    }
    if (this.#filled === BUFFER_BYTES) throw new Error(`Cannot read a frame above ${BUFFER_BYTES} bytes`);
    return this.#filled === 0 ? this.bytes : this.bytes.subarray(this.#filled);
  }

  /** Says how many bytes were read into `space()`. */
  fill(count: number): void {
    this.#filled += count;
  }

  /** Takes an HTTP head off the front; undefined while it is not whole. */
  takeHead(): string | undefined {
    const text = new TextDecoder("latin1").decode(this.bytes.subarray(0, this.#filled));
    const length = text.indexOf("\r\n\r\n");
    if (length < 0) return undefined;
    this.end = length + 4;
    return text.slice(0, length);
  }

  /** Goes to the next frame; false when it is not whole yet. */
  next(): boolean {
    const head = this.end;
    if (this.#filled < head + 2) return false;
    const first = this.bytes[head] ?? 0;
    let length = this.bytes[head + 1] ?? 0;
    let start = head + 2;
    if ((first & FINAL) === 0 || (first & RESERVED_BITS) !== 0) {
      throw new Error("Cannot read a fragmented or compressed frame: neither was asked for");
    }
    if (length > LENGTH_16) throw new Error("Cannot read a frame that is masked or above 65,535 bytes");
    if (length === LENGTH_16) {
      if (this.#filled < head + 4) return false;
      length = ((this.bytes[head + 2] ?? 0) << 8) | (this.bytes[head + 3] ?? 0);
      start = head + 4;
    }
    if (this.#filled < start + length) return false;
    this.opcode = first & OPCODE_BITS;
    this.start = start;
    this.end = start + length;
    return true;
  }
}

/** A whole frame as a client sends it: masked. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const headerBytes = payload.length < LENGTH_16 ? 2 : 4;
  const frame = new Uint8Array(headerBytes + 4 + payload.length);
  frame[0] = FINAL | opcode;
  if (headerBytes === 2) {
    frame[1] = MASKED | payload.length;
  } else {
    if (payload.length > 0xffff) throw new RangeError("Cannot send a frame above 65,535 bytes");
    frame[1] = MASKED | LENGTH_16;
    frame[2] = payload.length >> 8;
    frame[3] = payload.length & 0xff;
  }
  const mask = crypto.getRandomValues(frame.subarray(headerBytes, headerBytes + 4));
  const start = headerBytes + 4;
  for (let index = 0; index < payload.length; index++) {
    frame[start + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return frame;
}

/** Bytes on the wire of a frame that a server sends. */
export function measureFrame({ start, end }: Frame): number {
  const payloadBytes = end - start;
  return payloadBytes + (payloadBytes < LENGTH_16 ? 2 : 4);
}
