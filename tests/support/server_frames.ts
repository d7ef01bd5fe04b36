import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";

/** The payloads of unmasked text frames, one after the other (RFC 6455 section 5.2). */
export function readFrames(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const texts: string[] = [];
  for (let at = 0; at < buffer.length;) {
    assertEquals(buffer[at], 0x81);
    const short = buffer[at + 1]!;
    const [length, header] = short < 126
      ? [short, 2]
      : short === 126
      ? [buffer.readUInt16BE(at + 2), 4]
      : [Number(buffer.readBigUInt64BE(at + 2)), 10];
    texts.push(buffer.toString("utf8", at + header, at + header + length));
    at += header + length;
  }
  return texts;
}
