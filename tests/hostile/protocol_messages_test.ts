import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { CONNECTION_CASES } from "../support/connection_cases.ts";
import { startLocalServer } from "../support/local_server.ts";
import { OPERATION_CASES } from "../support/operation_cases.ts";
import { assertOutcomes } from "../support/outcomes.ts";

const CASES = { ...CONNECTION_CASES, ...OPERATION_CASES };

/** One of so many is tried with compression. */
const COMPRESSED_PART = 4;

Deno.test("at least 250 messages of graphql-transport-ws are tried", () => {
  assertGreaterOrEqual(Object.values(CASES).flat().length, 250);
});

for (const compression of [false, true]) {
  for (const [what, cases] of Object.entries(CASES)) {
    Deno.test(`messages: ${what}${compression ? ", with permessage-deflate agreed on" : ""}`, async () => {
      await using server = await startLocalServer({ server: { compression } });

      // The long form tries all of them with compression too.
      const tried = compression ? cases.filter((_case, at) => at % COMPRESSED_PART === 0) : cases;
      await assertOutcomes(server, tried, { extensions: compression ? "permessage-deflate" : undefined });

      const { data } = await server.query("{ server { connections subscriptions } }");
      assertEquals(data.server, { connections: 0, subscriptions: 0 });
    });
  }
}
