import { assertEquals } from "@std/assert";
import { fuzzDocuments } from "../../support/document_fuzz.ts";

/** Seeds of the series, and documents of each. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const DOCUMENTS = 50_000;

for (const seed of SEEDS) {
  Deno.test(`${DOCUMENTS} mutated documents of seed ${seed}: each is answered, or refused with a listed code`, async () => {
    const { wrong, outcomes, slowestMs, slowest, stalls } = await fuzzDocuments(seed, DOCUMENTS);

    console.log(outcomes);
    console.log(`slowest ${slowestMs.toFixed(1)} ms, ${stalls} over 20 ms: ${slowest?.query.slice(0, 300)}`);
    assertEquals(wrong, []);
  });
}
