import { assert } from "@std/assert";
import { type RevocationTally, runRevocations } from "../support/revocation_run.ts";

const RUNS = 1_000;

Deno.test(`a right revoked at any moment of ${RUNS} random interleavings lets nothing more through, and leaves nothing behind`, async () => {
  const tally: RevocationTally = { delivered: 0, refused: 0, ended: 0, revoked: 0 };
  for (let seed = 1; seed <= RUNS; seed++) await runRevocations(seed, tally);

  // What has never happened has not been tried.
  assert(tally.delivered > 10 * RUNS && tally.refused > RUNS / 2 && tally.ended > RUNS / 2, JSON.stringify(tally));
});
