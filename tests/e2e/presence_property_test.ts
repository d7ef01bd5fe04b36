import { assertEquals } from "@std/assert";
import { PresenceRun } from "../support/presence_run.ts";

const SEEDS = [1, 2, 3, 4, 5, 6];
const STEPS = 400;
const STEPS_PER_JUDGEMENT = 15;

for (const seed of SEEDS) {
  Deno.test(`G7 members, events and snapshots are true over ${STEPS} random steps (seed ${seed})`, async () => {
    await using run = await PresenceRun.open(seed);
    const { world } = run;
    const taken: string[] = [];

    for (let step = 1; step <= STEPS; step++) {
      taken.push(await run.step());
      const when = `seed ${seed}, step ${step}: ${taken.join(", ")}`;
      await world.compare(when);
      if (step % STEPS_PER_JUDGEMENT === 0) await world.judge(when);
    }

    assertEquals(world.forgotten(), []);
  });
}
