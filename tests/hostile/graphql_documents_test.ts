import { assertEquals, assertGreater } from "@std/assert";
import { fuzzDocuments } from "../support/document_fuzz.ts";

Deno.test("2,000 mutated documents: each is answered, or refused with a listed code", async () => {
  const { wrong, outcomes } = await fuzzDocuments(20_261_128, 2_000);

  assertEquals(wrong, []);
  // The mutations reach every part: what is parsed, what is valid, what is run.
  for (
    const outcome of [
      "RESULT",
      "GRAPHQL_PARSE_FAILED",
      "GRAPHQL_VALIDATION_FAILED",
      "QUERY_TOO_COMPLEX",
      "BAD_USER_INPUT",
    ]
  ) assertGreater(outcomes[outcome] ?? 0, 20, outcome);
});
