import { assertGreaterOrEqual } from "@std/assert";
import { framingCases } from "../support/framing_cases.ts";
import { startLocalServer } from "../support/local_server.ts";
import { assertOutcomes } from "../support/outcomes.ts";

Deno.test("at least 300 kinds of framing are tried", () => {
  assertGreaterOrEqual(Object.values(framingCases({ deflates: false })).flat().length, 300);
});

for (const deflates of [false, true]) {
  for (const [what, cases] of Object.entries(framingCases({ deflates }))) {
    Deno.test(`framing: ${what}${deflates ? ", with permessage-deflate agreed on" : ""}`, async () => {
      await using server = await startLocalServer({ server: { compression: deflates } });
      await assertOutcomes(server, cases, { extensions: deflates ? "permessage-deflate" : undefined });
    });
  }
}
