import { assertEquals } from "@std/assert";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";

const RATE = { count: 3, windowMs: 2_000 };

function openLimiter() {
  const clock = new ManualClock();
  return { clock, limiter: new MemoryLimiter(clock, RATE) };
}

Deno.test("MemoryLimiter allows so many in a window that begins with the first, and then so many again", () => {
  const { clock, limiter } = openLimiter();
  clock.advance(12_345);
  const take = (afterMs: number) => {
    clock.advance(afterMs);
    return limiter.take("ann");
  };

  assertEquals([take(0), take(100), take(1_500)], [0, 0, 0]);
  assertEquals([take(0), take(100), limiter.take("bob")], [400, 300, 0]);
  assertEquals([take(299), take(1), take(0), take(0), take(0)], [1, 0, 0, 0, 2_000]);
});

Deno.test("MemoryLimiter allows again whoever waits as long as it was told, and not a millisecond earlier", () => {
  const { clock, limiter } = openLimiter();
  for (let time = 0; time < 3; time++) limiter.take("ann");
  clock.advance(777);

  const wait = limiter.take("ann");
  clock.advance(wait - 1);
  assertEquals(limiter.take("ann"), 1);
  clock.advance(1);

  assertEquals(limiter.take("ann"), 0);
});

Deno.test("MemoryLimiter counts as RateLimiterMemory does", async () => {
  const { clock, limiter } = openLimiter();
  const reference = new RateLimiterMemory({ points: RATE.count, duration: RATE.windowMs / 1_000 });
  const { now } = Date;
  Date.now = () => clock.now();
  try {
    for (const afterMs of [0, 10, 1_989, 0, 1, 1, 999, 999, 1, 5_000, 0, 1, 1]) {
      clock.advance(afterMs);
      const expected = await reference.consume("ann").then(() => 0, ({ msBeforeNext }: RateLimiterRes) => msBeforeNext);
      assertEquals(limiter.take("ann"), expected);
    }
  } finally {
    Date.now = now;
    await reference.delete("ann");
  }
});

Deno.test("MemoryLimiter gives back what was taken, and never more", () => {
  const { clock, limiter } = openLimiter();
  limiter.giveBack("ann", clock.now());
  assertEquals(limiter.size, 0);

  for (let time = 0; time < 3; time++) limiter.take("ann");
  limiter.giveBack("ann", clock.now());
  assertEquals([limiter.take("ann"), limiter.take("ann"), limiter.take("ann")], [0, 2_000, 2_000]);
  limiter.giveBack("ann", clock.now());
  assertEquals([limiter.take("ann"), limiter.take("ann")], [0, 2_000]);

  clock.advance(2_000);
  limiter.giveBack("ann", clock.now());
  assertEquals([1, 2, 3, 4].map(() => limiter.take("ann")), [0, 0, 0, 2_000]);
});

Deno.test("MemoryLimiter gives back nothing in another window than it was taken in", () => {
  const { clock, limiter } = openLimiter();
  limiter.take("ann");
  const takenMs = clock.now();

  clock.advance(2_000);
  for (let time = 0; time < 3; time++) limiter.take("ann");
  limiter.giveBack("ann", takenMs);

  assertEquals(limiter.take("ann"), 2_000);
});

Deno.test("MemoryLimiter looks without counting", () => {
  const { clock, limiter } = openLimiter();
  limiter.take("ann");
  limiter.take("ann");

  assertEquals([1, 2, 3].map(() => limiter.look("ann")), [0, 0, 0]);
  limiter.take("ann");
  clock.advance(500);
  assertEquals([limiter.look("ann"), limiter.look("bob")], [1_500, 0]);
  clock.advance(1_500);
  assertEquals(limiter.look("ann"), 0);
});

Deno.test("MemoryLimiter tells nobody to wait longer than a window when the clock is set", () => {
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    const { clock, limiter } = openLimiter();
    for (let time = 0; time < 3; time++) limiter.take("ann");
    clock.jump(jumpMs);

    assertEquals([1, 2, 3, 4].map(() => limiter.take("ann")), [0, 0, 0, 2_000]);
  }
});

Deno.test("MemoryLimiter counts 50,000 keys apart and all others together, until its window ends", () => {
  const { clock, limiter } = openLimiter();
  for (let name = 0; name < 50_000; name++) limiter.take(`user-${name}`);

  assertEquals(["a", "b", "c", "d"].map((name) => limiter.take(name)), [0, 0, 0, 2_000]);
  assertEquals([1, 2, 3].map(() => limiter.take("user-7")), [0, 0, 2_000]);
  assertEquals(limiter.size, 50_001);

  clock.advance(2_000);
  assertEquals([limiter.take("d"), limiter.size], [0, 1]);
});

Deno.test("MemoryLimiter needs no timer, and forgets everything when it closes", () => {
  const { clock, limiter } = openLimiter();
  for (let time = 0; time < 4; time++) limiter.take("ann");
  assertEquals(clock.pending, 0);

  limiter.close();
  limiter.close();

  assertEquals([limiter.size, limiter.take("ann")], [0, 0]);
});

Deno.test("MemoryLimiter counts several at once, all or none", () => {
  const { limiter } = openLimiter();

  assertEquals([limiter.take("ann", 2), limiter.take("ann", 2), limiter.take("ann", 1)], [0, 2_000, 0]);
  assertEquals([limiter.take("ann"), limiter.take("bob", 4), limiter.take("bob", 3)], [2_000, 2_000, 0]);
});
