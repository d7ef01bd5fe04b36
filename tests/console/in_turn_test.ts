import { assertEquals } from "@std/assert";
import { inTurn } from "../../src/console/in_turn.ts";
import { eventLoopTurn } from "../support/event_loop.ts";

Deno.test("inTurn() runs one step at a time, and once more when asked meanwhile, however often", async () => {
  const steps: PromiseWithResolvers<void>[] = [];
  const ask = inTurn(() => {
    const step = Promise.withResolvers<void>();
    steps.push(step);
    return step.promise;
  });

  for (let times = 0; times < 3; times++) ask();
  assertEquals(steps.length, 1);
  steps[0]!.resolve();
  await eventLoopTurn();
  assertEquals(steps.length, 2);
  steps[1]!.resolve();
  await eventLoopTurn();

  assertEquals(steps.length, 2);
});
