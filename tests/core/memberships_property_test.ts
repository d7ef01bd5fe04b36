import { assertEquals } from "@std/assert";
import { openRun } from "../support/membership_run.ts";

const RUNS = 2_000;
const STEPS = 30;

Deno.test("G7 whatever happens one after the other, members and events are what the model says", async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await using run = await openRun(seed);
    const taken: string[] = [];
    for (let step = 0; step < STEPS; step++) {
      taken.push(await run.step());
      await run.settle();
      await run.compare(`seed ${seed}: ${taken.join(", ")}`);
      assertEquals(run.world.heard, run.model.events, `seed ${seed}: ${taken.join(", ")}`);
    }
    await run.end(`seed ${seed}`);
    assertEquals(run.world.heard, run.model.events, `seed ${seed}, at the end`);
    assertEquals(run.world.telemetry.events, [], `seed ${seed}`);
  }
});

Deno.test("G7 whatever happens at once, members are what the model says when it is over", async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await using run = await openRun(seed, { atOnce: true });
    const taken: string[] = [];
    for (let step = 0; step < STEPS; step++) {
      taken.push(await run.step());
      if (run.random() < 0.7) continue;
      await run.settle();
      await run.compare(`seed ${seed}: ${taken.join(", ")}`);
    }
    await run.end(`seed ${seed}`);
    assertEquals(run.world.telemetry.events, [], `seed ${seed}`);
  }
});

Deno.test("G9 whatever the engine refuses, nothing is left when everybody has gone", async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await using run = await openRun(seed, { atOnce: seed % 2 === 0, failures: 0.15 });
    for (let step = 0; step < STEPS; step++) {
      await run.step();
      if (run.random() < 0.5) await run.settle();
    }
    await run.end(`seed ${seed}`);
  }
});
