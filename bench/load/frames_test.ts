import { assertEquals, assertThrows } from "@std/assert";
import { DEFLATED_TEXT, FrameReader } from "./frames.ts";
import { ReadBuffer } from "./read_buffer.ts";

const FINAL = 0x80;
const RSV1 = 0x40;
const PING = 0x9;

Deno.test("frame reader finds a compressed text where compression was offered", () => {
  const reader = new FrameReader(frame(FINAL | DEFLATED_TEXT), { takesDeflated: true });
  assertEquals([reader.next(), reader.opcode, reader.start, reader.end], [true, DEFLATED_TEXT, 2, 5]);
});

Deno.test("frame reader throws at a compressed text where nothing was offered", () => {
  const reader = new FrameReader(frame(FINAL | DEFLATED_TEXT));
  assertThrows(() => reader.next(), Error, "compressed");
});

for (const [name, firstByte] of [["a part", DEFLATED_TEXT], ["a ping", FINAL | RSV1 | PING]] as const) {
  Deno.test(`frame reader throws at ${name} that says it is compressed`, () => {
    const reader = new FrameReader(frame(firstByte), { takesDeflated: true });
    assertThrows(() => reader.next(), Error, "compressed");
  });
}

/** A frame of three bytes. */
function frame(firstByte: number): ReadBuffer {
  const buffer = new ReadBuffer();
  buffer.space().set([firstByte, 3, 1, 2, 3]);
  buffer.fill(5);
  return buffer;
}
