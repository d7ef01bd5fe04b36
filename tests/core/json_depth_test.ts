import { assertEquals } from "@std/assert";
import { isDeeperThan } from "../../src/core/json_depth.ts";

const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

const CASES: readonly (readonly [value: unknown, levels: number, deeper: boolean])[] = [
  [null, 0, false],
  ["text", 0, false],
  [[], 0, true],
  [[1], 0, true],
  [{ a: 1 }, 1, false],
  [{ a: [1] }, 1, true],
  [nested(10), 10, false],
  [nested(12), 10, true],
  [nested(100_000), 32, true],
];

for (const [value, levels, deeper] of CASES) {
  const shown = JSON.stringify(value === CASES.at(-1)![0] ? "100,000 arrays" : value);
  Deno.test(`${shown} is ${deeper ? "" : "not "}deeper than ${levels}`, () => {
    assertEquals(isDeeperThan(value, levels), deeper);
  });
}
