import { assertEquals, assertGreater } from "@std/assert";
import { soakMutations } from "../support/mutation_soak.ts";

const COUNT = 1_000;

for (const compression of [false, true]) {
  const how = compression ? ", with permessage-deflate agreed on" : "";
  Deno.test(`${COUNT} mutated frames come out in ways that are allowed, and disturb nobody${how}`, async () => {
    const outcomes = await soakMutations({ count: COUNT, seed: compression ? 2 : 1, compression });

    assertEquals(Object.values(outcomes).reduce((sum, count) => sum + count), COUNT);
    // They get past the first frame, and not all of them.
    for (const outcome of ["close 1002", "close 4400", "no close"]) assertGreater(outcomes[outcome], COUNT / 100);
  });
}
