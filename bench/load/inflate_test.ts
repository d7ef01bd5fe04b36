import { assertEquals, assertThrows } from "@std/assert";
import { constants, deflateRawSync } from "node:zlib";
import { inflate } from "./inflate.ts";

const TEXT = "a text that is long enough for zlib to find something to do in the text";
/** As it goes over the wire: without the last four bytes of the flush. */
const DEFLATED = deflateRawSync(TEXT, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

Deno.test("inflate() yields the whole text", () => {
  assertEquals(inflate(DEFLATED), TEXT);
});

Deno.test("inflate() throws at a message that ends too early", () => {
  const { length } = DEFLATED;
  for (const end of [1, Math.floor(length / 2), length - 1]) assertThrows(() => inflate(DEFLATED.subarray(0, end)));
});
