import { Buffer } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";
import { assertEquals } from "@std/assert";

/** An unmasked frame as it came. */
export interface ServerFrame {
  readonly firstByte: number;
  readonly payload: Uint8Array;
}

/** What a sender of permessage-deflate leaves out at the end of a message (RFC 7692 section 7.2.1). */
const LEFT_OUT = Buffer.of(0x00, 0x00, 0xff, 0xff);
const PLAIN = 0x81;
const DEFLATED = 0xc1;

/** The payloads of plain text frames, one after the other (RFC 6455 section 5.2). */
export function readFrames(bytes: Uint8Array): string[] {
  return splitFrames(bytes).frames.map((frame) => {
    assertEquals(frame.firstByte, PLAIN);
    return textOf(frame);
  });
}

/** Frames as far as they are complete, and what is left. */
export function splitFrames(bytes: Uint8Array): { frames: ServerFrame[]; rest: Uint8Array } {
  const buffer = Buffer.from(bytes);
  const frames: ServerFrame[] = [];
  let at = 0;
  while (at + 2 <= buffer.length) {
    const short = buffer[at + 1]!;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + header > buffer.length) break;
    const length = short < 126
      ? short
      : short === 126
      ? buffer.readUInt16BE(at + 2)
      : Number(buffer.readBigUInt64BE(at + 2));
    if (at + header + length > buffer.length) break;
    frames.push({ firstByte: buffer[at]!, payload: buffer.subarray(at + header, at + header + length) });
    at += header + length;
  }
  return { frames, rest: buffer.subarray(at) };
}

/** Whether the frame is compressed; fails when it is no text frame at all. */
export function isDeflated({ firstByte }: ServerFrame): boolean {
  assertEquals([PLAIN, DEFLATED].includes(firstByte), true, `A frame begins with ${firstByte.toString(16)}`);
  return firstByte === DEFLATED;
}

/** The text of a plain or a compressed frame, read without any context. */
export function textOf(frame: ServerFrame): string {
  if (!isDeflated(frame)) return Buffer.from(frame.payload).toString();
  const whole = Buffer.concat([frame.payload, LEFT_OUT]);
  return inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}
