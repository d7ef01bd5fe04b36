import { Buffer } from "node:buffer";

/** First bytes of frames: FIN and opcodes (RFC 6455 section 5.2). */
export const FIN = 0x80;
export const RSV1 = 0x40;
export const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** What a frame can have that a text frame of a usual client has not. */
export interface FrameOptions {
  /** Four bytes, or null for a frame without a mask. @default zeros */
  readonly mask?: readonly number[] | null;
  /** How its length is written, in bits. @default as short as can be */
  readonly lengthBits?: 7 | 16 | 64;
  /** The length it claims. @default its payload's */
  readonly length?: number | bigint;
}

/** A frame as a client writes it, right or wrong. */
export function clientFrameOf(
  firstByte: number,
  payload: string | Uint8Array = "",
  { mask = [0, 0, 0, 0], lengthBits, length }: FrameOptions = {},
): Uint8Array {
  const bytes = Buffer.from(payload);
  const claimed = BigInt(length ?? bytes.length);
  const bits = lengthBits ?? (claimed < 126n ? 7 : claimed < 65_536n ? 16 : 64);
  const isMasked = mask === null ? 0 : 0x80;
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = firstByte;
  head[1] = isMasked | (bits === 7 ? Number(claimed) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(claimed), 2);
  if (bits === 64) head.writeBigUInt64BE(claimed, 2);
  if (mask === null) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, Buffer.from(mask), bytes.map((byte, at) => byte ^ mask[at % 4]!)]);
}

/** A text frame. */
export function textFrame(text: string | Uint8Array, options?: FrameOptions): Uint8Array {
  return clientFrameOf(FIN | OPCODES.text, text, options);
}

/** A message of the protocol as a text frame. */
export function messageFrame(message: unknown): Uint8Array {
  return textFrame(JSON.stringify(message));
}

/** A close frame with this code and reason. */
export function closeFrame(code: number, reason: string | Uint8Array = ""): Uint8Array {
  return clientFrameOf(FIN | OPCODES.close, Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]));
}
