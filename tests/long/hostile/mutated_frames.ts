import { assertEquals } from "@std/assert";
import { soakMutations } from "../../support/mutation_soak.ts";

const COUNT = 1_000_000;
/** A server of its own for each so many: what a test server keeps of its log grows. */
const PART = 20_000;

for (const compression of [false, true]) {
  const how = compression ? ", with permessage-deflate agreed on" : "";
  Deno.test(`${COUNT / 2} mutated frames come out in ways that are allowed, and disturb nobody${how}`, async () => {
    const firstSeed = Math.floor(Math.random() * 2 ** 31);
    console.log(`Seeds from ${firstSeed}${how}`);
    const outcomes: Record<string, number> = {};
    for (let part = 0; part < COUNT / 2 / PART; part++) {
      const counted = await soakMutations({ count: PART, seed: firstSeed + part, compression });
      for (const [outcome, count] of Object.entries(counted)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
    console.log(`${COUNT / 2} mutated frames${how}: ${JSON.stringify(outcomes)}`);
    assertEquals(Object.values(outcomes).reduce((sum, count) => sum + count), COUNT / 2);
  });
}
