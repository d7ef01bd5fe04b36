import { CONNECTION_CASES } from "../../support/connection_cases.ts";
import { startLocalServer } from "../../support/local_server.ts";
import { OPERATION_CASES } from "../../support/operation_cases.ts";
import { assertOutcomes } from "../../support/outcomes.ts";

Deno.test("every message of graphql-transport-ws comes out alike with permessage-deflate agreed on", async () => {
  await using server = await startLocalServer({ server: { compression: true } });
  const cases = Object.values({ ...CONNECTION_CASES, ...OPERATION_CASES }).flat();

  await assertOutcomes(server, cases, { extensions: "permessage-deflate" });

  console.log(`${cases.length} messages`);
});
