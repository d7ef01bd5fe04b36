import { assertEquals } from "@std/assert";
import { toBase36 } from "../../src/core/base36.ts";
import { seeded } from "../support/seeded.ts";

Deno.test("toBase36 writes what toString(36) does: the edges, and 20,000 numbers as seed 3 makes them", () => {
  const random = seeded(3);
  const edges = [0, 1, 35, 36, 36 ** 4, 36 ** 5 - 1, 36 ** 5, 36 ** 5 + 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
  const others = Array.from({ length: 20_000 }, () => Math.floor(random() * 2 ** (1 + Math.floor(random() * 53))));
  for (const value of [...edges, ...others, ...edges]) assertEquals(toBase36(value), value.toString(36));
});
