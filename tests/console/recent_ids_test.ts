import { assertEquals } from "@std/assert";
import { RecentIds } from "../../src/console/recent_ids.ts";

Deno.test("RecentIds tells repeats among the last 1,000 ids, and forgets older ones", () => {
  const ids = new RecentIds();
  for (let id = 0; id < 1_001; id++) assertEquals(ids.add(String(id)), true);

  assertEquals([ids.add("1000"), ids.add("1"), ids.add("0")], [false, false, true]);
});
