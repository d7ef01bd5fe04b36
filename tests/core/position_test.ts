import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createEpoch, formatPosition, parsePosition, samePosition } from "../../src/core/position.ts";

const position = { epoch: "abc123", offset: 1_000_000, timeUs: 1_700_000_000_000_000 };

Deno.test("parsePosition() reads what formatPosition() wrote", () => {
  assertEquals(parsePosition(formatPosition(position)), position);
});

Deno.test("parsePosition() reads the position before the first entry", () => {
  assertEquals(parsePosition("e.0-0"), { epoch: "e", offset: 0, timeUs: 0 });
});

Deno.test("parsePosition() refuses anything else", () => {
  const texts = ["", ".", "e.1", "e.1-", "E.1-1", "e.-1-1", "e.1-1 ", "e.1-1\n", `${"e".repeat(33)}.1-1`];
  for (const text of texts) assertEquals(parsePosition(text), undefined, text);
});

Deno.test("parsePosition() refuses numbers that are not exact", () => {
  assertEquals(parsePosition("e.zzzzzzzzzzz-1"), undefined);
  assertEquals(parsePosition("e.1-zzzzzzzzzzz"), undefined);
});

Deno.test("samePosition() tells positions apart by epoch, offset and time", () => {
  assertEquals(samePosition(position, { ...position }), true);
  assertEquals(samePosition(position, { ...position, epoch: "other" }), false);
  assertEquals(samePosition(position, { ...position, offset: 2 }), false);
  assertEquals(samePosition(position, { ...position, timeUs: 2 }), false);
});

Deno.test("createEpoch() makes names that fit a position and differ", () => {
  const epoch = createEpoch();
  assertMatch(epoch, /^[0-9a-z]{7,14}$/);
  assertNotEquals(epoch, createEpoch());
});
