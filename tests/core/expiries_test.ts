import { assertEquals } from "@std/assert";
import { Expiries } from "../../src/core/expiries.ts";
import { ManualClock } from "../support/manual_clock.ts";

function createWorld() {
  const clock = new ManualClock();
  const expiries = new Expiries(clock);
  const expired: string[] = [];
  const startMs = clock.now();
  return {
    clock,
    expiries,
    expired,
    startMs,
    create: (name: string) => ({ expire: () => void expired.push(name) }),
  };
}

Deno.test("Expiries ends each at its moment, not a millisecond before, and once", () => {
  const { clock, expiries, expired, startMs, create } = createWorld();
  expiries.set(create("late"), startMs + 2_000);
  expiries.set(create("early"), startMs + 1_000);
  expiries.set(create("never"), null);

  clock.advance(999);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["early"]);
  clock.advance(100_000);
  assertEquals(expired, ["early", "late"]);
  assertEquals(expiries.size, 0);
  expiries.close();
});

Deno.test("Expiries goes by what was said last, and forgets what is deleted", () => {
  const { clock, expiries, expired, startMs, create } = createWorld();
  const [ann, bob, eve] = [create("ann"), create("bob"), create("eve")];
  for (const one of [ann, bob, eve]) expiries.set(one, startMs + 1_000);
  expiries.set(ann, startMs + 3_000);
  expiries.set(bob, null);
  expiries.delete(eve);

  clock.advance(2_999);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["ann"]);
  expiries.close();
});

Deno.test("Expiries waits longer than a timer can", () => {
  const { clock, expiries, expired, startMs, create } = createWorld();
  const yearMs = 31_536_000_000;
  expiries.set(create("far"), startMs + yearMs);

  clock.advance(yearMs - 1);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["far"]);
  expiries.close();
});

Deno.test("Expiries lets one that ends say another's moment", () => {
  const { clock, expiries, expired, startMs, create } = createWorld();
  const second = create("second");
  expiries.set({ expire: () => expiries.set(second, startMs + 1_500) }, startMs + 1_000);

  clock.advance(1_499);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["second"]);
  expiries.close();
});

Deno.test("Expiries that is closed leaves no timer", () => {
  const { expiries, startMs, create } = createWorld();
  expiries.set(create("ann"), startMs + 1_000);

  expiries.close();

  assertEquals(expiries.size, 0);
});
