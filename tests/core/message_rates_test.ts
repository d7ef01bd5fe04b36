import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Scope, SCOPES } from "../../src/core/auth.ts";
import type { Caller } from "../../src/core/caller.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { MessageRates } from "../../src/core/message_rates.ts";
import type { Rate, RateLimiter } from "../../src/core/rate_limiter.ts";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";

const PEOPLE: readonly Scope[] = ["read", "send", "join"];

function caller(userId: string, address?: string, scopes = PEOPLE): Caller {
  const principal = { userId, scopes: new Set(scopes), expiresAtMs: null };
  return { principal, sessionId: "s", namesSession: true, session: undefined, address };
}

function openRates(perSecond = 5) {
  const clock = new ManualClock();
  const rates = new MessageRates({ createLimiter: (rate) => new MemoryLimiter(clock, rate), clock, perSecond });
  /** How many of so many are allowed. */
  const allowed = (attempts: number, one: (index: number) => Caller): number => {
    let count = 0;
    for (let index = 0; index < attempts; index++) {
      try {
        rates.charge(one(index));
        count++;
      } catch (error) {
        assertEquals(error instanceof RealtimeError && error.code, "RATE_LIMITED");
      }
    }
    return count;
  };
  return { clock, rates, allowed };
}

Deno.test("a user may send twice a second's worth at once, and is told when to come again", () => {
  const { clock, rates, allowed } = openRates();

  assertEquals(allowed(100, () => caller("ann", "192.0.2.7")), 10);
  clock.advance(300);
  const refused = assertThrows(() => rates.charge(caller("ann", "192.0.2.7")), RealtimeError);

  assertEquals([refused.code, refused.retryAfterMs, refused.limit], ["RATE_LIMITED", 1_700, 5]);
  assertEquals(refused.message, "Cannot do this now: you may send and change 5 times a second");
  clock.advance(refused.retryAfterMs!);
  assertEquals(allowed(100, () => caller("ann", "192.0.2.7")), 10);
});

Deno.test("a user who sends ten times too much takes nothing from others of the same address", () => {
  const { allowed } = openRates();

  allowed(100, () => caller("mallory", "192.0.2.7"));

  assertEquals(allowed(10, () => caller("ann", "192.0.2.7")), 10);
});

Deno.test("all users of one address together may send 20 times as much, and those of another as much again", () => {
  const { allowed, rates } = openRates();

  assertEquals(allowed(1_000, (index) => caller(`guest-${index}`, "192.0.2.7")), 200);
  const refused = assertThrows(() => rates.charge(caller("guest-new", "192.0.2.7")), RealtimeError);
  assertEquals(refused.message, "Cannot do this now: everybody at your address may send and change 100 times a second");
  assertEquals(allowed(1_000, (index) => caller(`guest-${index}`, "192.0.2.8")), 200);
});

Deno.test("a service may send 20 times as much as a user, whoever else is at its address", () => {
  for (const scopes of [["send", "broadcast"], SCOPES, ["admin"]] as const) {
    const { allowed } = openRates();
    allowed(1_000, (index) => caller(`guest-${index}`, "192.0.2.7"));

    assertEquals(allowed(1_000, () => caller("backend", "192.0.2.7", scopes)), 200);
  }
});

Deno.test("what was given back may be sent again", () => {
  const { rates, allowed } = openRates();
  const ann = caller("ann", "192.0.2.7");
  const guest = (index: number) => caller(`guest-${index}`, "192.0.2.7");
  allowed(10, () => ann);

  rates.refund(ann, rates.now());
  assertEquals(allowed(5, () => ann), 1);
  assertEquals(allowed(1_000, guest), 190);
  rates.refund(guest(0), rates.now());
  assertEquals(allowed(10, (index) => guest(index + 1_000)), 1);
});

Deno.test("what was sent in one window is not given back in the next", () => {
  const { clock, rates, allowed } = openRates();
  const ann = caller("ann", "192.0.2.7");
  rates.charge(ann);
  const chargedMs = rates.now();

  clock.advance(2_000);
  assertEquals(allowed(20, () => ann), 10);
  rates.refund(ann, chargedMs);

  assertEquals(allowed(5, () => ann), 0);
});

Deno.test("a limiter that answers later is waited for, and refuses as one that answers at once", async () => {
  const clock = new ManualClock();
  const createLimiter = (rate: Rate): RateLimiter => {
    const limiter = new MemoryLimiter(clock, rate);
    return {
      take: (key) => Promise.resolve(limiter.take(key)),
      look: (key) => Promise.resolve(limiter.look(key)),
      giveBack: (key, takenMs) => limiter.giveBack(key, takenMs),
      close: () => limiter.close(),
    };
  };
  const rates = new MessageRates({ createLimiter, clock, perSecond: 1 });

  for (let user = 0; user < 20; user++) {
    await rates.charge(caller(`user-${user}`, "192.0.2.7"));
    await rates.charge(caller(`user-${user}`, "192.0.2.7"));
  }

  const own = await assertRejects(() => rates.charge(caller("user-1", "192.0.2.7"))!, RealtimeError);
  const shared = await assertRejects(() => rates.charge(caller("user-20", "192.0.2.7"))!, RealtimeError);
  assertEquals([own.limit, shared.limit], [1, 20]);
});
