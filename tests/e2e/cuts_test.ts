import { assert, assertEquals, assertGreater } from "@std/assert";
import { CUT_CLIENT_KINDS } from "../support/cut_client_kinds.ts";
import { runCuts } from "../support/cut_run.ts";

const CUTS = 25;
/** EventSource waits a second before it comes back, as the server asks it to: so more of them wait at once. */
const CLIENTS = { told: 13, other: 25 };
const SEED = 20_261_123;

for (const kind of CUT_CLIENT_KINDS) {
  const promise = kind.exactlyOnce ? "misses nothing and gets nothing twice" : "misses nothing";
  Deno.test(`G2 ${kind.name} ${promise} over ${CUTS} cuts while messages are sent (seed ${SEED})`, async () => {
    const clients = kind.isTold ? CLIENTS.told : CLIENTS.other;
    const { ok, announcedLosses, summary } = await runCuts({ kind, cuts: CUTS, clients, seed: SEED });
    assert(ok, summary);
    assertEquals(announcedLosses, 0, summary);
  });
}

for (const kind of CUT_CLIENT_KINDS.filter(({ name }) => ["stock", "resumable"].includes(name))) {
  Deno.test(`G2 ${kind.name} hears over ${CUTS} cuts of what history no longer held (seed ${SEED})`, async () => {
    const options = { clients: CLIENTS.told, flags: ["--history-count", "5"] };
    const { ok, announcedLosses, summary } = await runCuts({ kind, cuts: CUTS, seed: SEED, ...options });
    assert(ok, summary);
    assertGreater(announcedLosses, 0, summary);
  });
}
