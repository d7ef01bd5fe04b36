import { assert, assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import type { CutClientKind, CutSink } from "../support/cut_client.ts";
import { CUT_CLIENT_KINDS, graphqlWs, overWebSocket } from "../support/cut_client_kinds.ts";
import { runCuts } from "../support/cut_run.ts";

const [STOCK] = CUT_CLIENT_KINDS as readonly [CutClientKind];
const RUN = { cuts: 12, clients: 4, seed: 1 };

Deno.test("runCuts() finds what a client loses whose operation ids earn no receipts", async () => {
  const kind = { ...overWebSocket("numbered", graphqlWs, { generateID: createCounter() }), isTold: false };
  const { ok, unannouncedLosses, summary } = await runCuts({ ...RUN, kind });
  assert(!ok);
  assertGreater(unannouncedLosses, 0, summary);
  assertStringIncludes(summary, "numbered: 4 clients, 12 cuts, seed 1");
  assertStringIncludes(summary, "no loss was announced");
});

Deno.test("runCuts() finds messages that vanished without a cut", async () => {
  const kind = withSink("forgetful", (sink) => ({
    ...sink,
    delivered: (message, notice) => message.content.endsWith("7") || sink.delivered(message, notice),
  }));
  const { verdict: { faults }, summary } = await runCuts({ ...RUN, kind });
  assertGreater(faults.length, 0, summary);
  for (const { kind, text } of faults) {
    assertEquals(kind, "loss", summary);
    assertMatch(text, /never got "\d*7"/);
  }
});

Deno.test("runCuts() finds a message that comes again to a client that promises it does not", async () => {
  const { verdict: { counts }, repeats, summary } = await runCuts({ ...RUN, kind: { ...STOCK, exactlyOnce: true } });
  assertGreater(repeats, 0, summary);
  assertEquals(counts, { repeat: repeats }, summary);
});

Deno.test("runCuts() tells of a client that does not come back, and at which cut", async () => {
  const kind = overWebSocket("one life", graphqlWs, { retryAttempts: 0 });
  const { ok, summary } = await runCuts({ ...RUN, kind });
  assert(!ok);
  assertStringIncludes(summary, "user-1 failed at cut 1, ");
  assertStringIncludes(summary, "has given up");
});

/** A stock client whose messages go through something else first. */
function withSink(name: string, wrap: (sink: CutSink) => CutSink): CutClientKind {
  return {
    ...STOCK,
    name,
    create(deps) {
      const client = STOCK.create(deps);
      return { ...client, follow: (room, sink) => client.follow(room, wrap(sink)) };
    },
  };
}

/** Ids that are unique, but not made to be. */
function createCounter(): () => string {
  let made = 0;
  return () => String(++made);
}
