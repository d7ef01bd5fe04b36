import { assertEquals, assertRejects } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { RefusedTokens } from "../../src/core/refused_tokens.ts";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("after so many refused tokens of an address in a minute no more of them are looked at, until it is over", async () => {
  const clock = new ManualClock();
  const tokens = new RefusedTokens(new MemoryLimiter(clock, { count: 3, windowMs: 60_000 }));

  for (let attempt = 0; attempt < 3; attempt++) {
    await tokens.refuse("192.0.2.7");
    await tokens.failed("192.0.2.7");
    clock.advance(10_000);
  }

  const refused = await assertRejects(() => tokens.refuse("192.0.2.7"), RealtimeError);
  assertEquals([refused.code, refused.retryAfterMs], ["RATE_LIMITED", 30_000]);
  await tokens.refuse("192.0.2.8");
  clock.advance(30_000);
  await tokens.refuse("192.0.2.7");
  tokens.close();
});

Deno.test("without a limiter any number of tokens is looked at", async () => {
  const tokens = new RefusedTokens(undefined);

  for (let attempt = 0; attempt < 1_000; attempt++) await tokens.failed("192.0.2.7");

  await tokens.refuse("192.0.2.7");
});
