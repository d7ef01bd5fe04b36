import { assertEquals, assertThrows } from "@std/assert";
import { isoText } from "../../src/graphql/iso_text.ts";
import { seeded } from "../support/seeded.ts";

Deno.test("isoText writes what Date.toISOString does: the edges, and 20,000 times as seed 4 makes them", () => {
  const random = seeded(4);
  const edges = [0, -1, -1_000, 999, 1_000, 8.64e15, -8.64e15, 253_402_300_800_000, -62_198_755_200_000];
  const others = Array.from(
    { length: 20_000 },
    () => Math.floor((random() - 0.5) * 2 ** (2 + Math.floor(random() * 50))),
  );
  for (const timeMs of [...edges, ...others, ...edges]) assertEquals(isoText(timeMs), new Date(timeMs).toISOString());
});

Deno.test("isoText refuses a time that no Date can hold, and goes on", () => {
  assertThrows(() => isoText(8.64e15 + 1_000), RangeError);
  assertThrows(() => isoText(NaN), RangeError);
  assertEquals(isoText(5), "1970-01-01T00:00:00.005Z");
});
