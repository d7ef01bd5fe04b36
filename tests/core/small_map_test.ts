import { assertEquals } from "@std/assert";
import { SmallMap } from "../../src/core/small_map.ts";

const KEYS = ["a", "b", "c"];
/** Undefined deletes. */
const STEPS = KEYS.flatMap((key) => [1, 2, undefined].map((value) => [key, value] as const));

Deno.test("SmallMap does as a Map does, whatever is set and deleted in three steps", () => {
  for (const first of STEPS) {
    for (const second of STEPS) {
      for (const third of STEPS) {
        const small = new SmallMap<string, number>();
        const real = new Map<string, number>();
        for (const [key, value] of [first, second, third]) {
          for (const map of [small, real]) {
            if (value === undefined) map.delete(key);
            else map.set(key, value);
          }
          assertEquals([small.size, ...small.values()], [real.size, ...real.values()]);
          assertEquals(KEYS.map((one) => small.get(one)), KEYS.map((one) => real.get(one)));
        }
      }
    }
  }
});

Deno.test("SmallMap that is cleared is empty, and takes new entries", () => {
  for (const keys of [["a"], ["a", "b"]]) {
    const map = new SmallMap<string, number>();
    for (const key of keys) map.set(key, 1);
    map.clear();
    assertEquals([map.size, map.get("a")], [0, undefined]);
    map.set("b", 2);
    assertEquals([...map.values()], [2]);
  }
});
