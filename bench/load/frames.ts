import type { Buffer } from "node:buffer";
import type { Frame } from "./frame.ts";
import { inflate } from "./inflate.ts";
import type { ReadBuffer } from "./read_buffer.ts";

/** What a WebSocket frame carries (RFC 6455, section 5.2). */
export const OPCODES = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;
/** What a frame carries that is a whole text, compressed: the opcode with the bit RSV1 (RFC 7692, section 6). */
export const DEFLATED_TEXT = 0x41;

const FINAL = 0x80;
const MASKED = 0x80;
const RESERVED_BITS = 0x70;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Finds the frames in what a server sends, without copying or allocating for any of them. */
export class FrameReader implements Frame {
  /** One of `OPCODES`, or `DEFLATED_TEXT`. */
  opcode = 0;
  start = 0;
  end = 0;
  wireBytes = 0;
  readonly #buffer: ReadBuffer;
  readonly #takesDeflated: boolean;

  /** Takes compressed texts where they were offered to the server; else one is an error. */
  constructor(buffer: ReadBuffer, { takesDeflated = false }: { readonly takesDeflated?: boolean } = {}) {
    this.#buffer = buffer;
    this.#takesDeflated = takesDeflated;
  }

  get bytes(): Buffer<ArrayBuffer> {
    return this.#buffer.bytes;
  }

  get isDeflated(): boolean {
    return this.opcode === DEFLATED_TEXT;
  }

  toText(): string {
    const { bytes, start, end } = this;
    return this.isDeflated ? inflate(bytes.subarray(start, end)) : bytes.toString("utf8", start, end);
  }

  /** Goes to the next frame; false when it is not whole yet. */
  next(): boolean {
    const { bytes, taken: head, filled } = this.#buffer;
    if (filled < head + 2) return false;
    const first = bytes[head] ?? 0;
    let length = bytes[head + 1] ?? 0;
    let start = head + 2;
    const isPlain = (first & FINAL) !== 0 && (first & RESERVED_BITS) === 0;
    if (!isPlain && !(this.#takesDeflated && first === (FINAL | DEFLATED_TEXT))) {
      throw new Error("Cannot read a fragmented or compressed frame: neither was asked for");
    }
    if (length > LENGTH_64) throw new Error("Cannot read a masked frame: a server must not mask");
    if (length >= LENGTH_16) {
      const lengthBytes = length === LENGTH_16 ? 2 : 8;
      start += lengthBytes;
      if (filled < start) return false;
      length = length === LENGTH_16 ? bytes.readUInt16BE(head + 2) : Number(bytes.readBigUInt64BE(head + 2));
    }
    if (filled < start + length) return false;
    this.opcode = first & ~FINAL;
    this.start = start;
    this.end = start + length;
    this.wireBytes = this.end - head;
    this.#buffer.taken = this.end;
    return true;
  }
}

/** A whole frame as a client sends it: masked. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const lengthBytes = payload.length < LENGTH_16 ? 0 : payload.length <= 0xffff ? 2 : 8;
  const frame = new Uint8Array(2 + lengthBytes + 4 + payload.length);
  const view = new DataView(frame.buffer);
  frame[0] = FINAL | opcode;
  frame[1] = MASKED | (lengthBytes === 0 ? payload.length : lengthBytes === 2 ? LENGTH_16 : LENGTH_64);
  if (lengthBytes === 2) view.setUint16(2, payload.length);
  if (lengthBytes === 8) view.setBigUint64(2, BigInt(payload.length));
  const mask = crypto.getRandomValues(frame.subarray(2 + lengthBytes, 6 + lengthBytes));
  const start = 6 + lengthBytes;
  for (let index = 0; index < payload.length; index++) {
    frame[start + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return frame;
}
