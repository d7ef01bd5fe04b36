import { assert } from "@std/assert";
import { type RevocationTally, runRevocations } from "../../support/revocation_run.ts";

const RUNS = 20_000;
/** Other seeds than those of every day. */
const FIRST_SEED = 1_000_000;

Deno.test(`a right revoked at any moment of ${RUNS} random interleavings lets nothing more through, and leaves nothing behind`, async () => {
  const tally: RevocationTally = { delivered: 0, refused: 0, ended: 0, revoked: 0 };
  for (let run = 0; run < RUNS; run++) await runRevocations(FIRST_SEED + run, tally);

  assert(tally.delivered > 10 * RUNS && tally.refused > RUNS / 2 && tally.ended > RUNS / 2, JSON.stringify(tally));
});
