import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { fillWithRecords } from "./filler.ts";

Deno.test("records fill what is asked for, the same for the same sequence", () => {
  for (const length of [0, 1, 1_986, 19_986]) {
    assertEquals(fillWithRecords(7, length).length, length);
    assertEquals(fillWithRecords(7, length), fillWithRecords(7, length));
  }
  assertNotEquals(fillWithRecords(7, 100), fillWithRecords(8, 100));
});

Deno.test("records have as many bytes as characters, in JSON too", () => {
  const text = fillWithRecords(7, 1_986);
  assertEquals(new TextEncoder().encode(JSON.stringify(text)).length, text.length + 2);
});

Deno.test("records compress as texts do, not as dots", () => {
  for (const [length, least, most] of [[2_000, 0.33, 0.5], [20_000, 0.2, 0.4]] as const) {
    const share = deflateRawSync(fillWithRecords(7, length), { level: 3 }).length / length;
    assert(share > least && share < most, `${length} characters compress to ${share}`);
  }
});
