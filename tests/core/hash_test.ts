import { assertEquals, assertMatch } from "@std/assert";
import { shortHash } from "../../src/core/hash.ts";

Deno.test("shortHash() is stable: cursors that clients keep depend on it", () => {
  assertEquals(["", "everyone", "messages:lobby"].map(shortHash), ["14bzwtne56g", "17xwnf2xrd8", "yj6lde5kv8"]);
});

Deno.test("shortHash() tells 200,000 similar texts apart", () => {
  const hashes = new Set(Array.from({ length: 200_000 }, (_, at) => shortHash(`messages:room-${at}`)));
  assertEquals(hashes.size, 200_000);
});

Deno.test("shortHash() writes at most 11 letters and digits", () => {
  for (let at = 0; at < 1_000; at++) assertMatch(shortHash(`${at}\u{1f600}`), /^[0-9a-z]{1,11}$/);
});
