import { assertEquals } from "@std/assert";
import { type Authenticator, TokenExpired } from "../../src/core/auth.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { RefusedTokens } from "../../src/core/refused_tokens.ts";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { authenticate } from "../../src/transports/identify.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { refusal } from "../support/refusal.ts";

/** Knows one token, one that has expired, and whoever has none. */
function open() {
  const clock = new ManualClock();
  const limiter = new MemoryLimiter(clock, { count: 3, windowMs: 60_000 });
  const looked: (string | null)[] = [];
  const authenticator: Authenticator = {
    usesGuestCookie: false,
    needsToken: true,
    leewayMs: 0,
    open: () => Promise.resolve(),
    authenticate({ token }) {
      looked.push(token);
      if (token === "expired") return Promise.reject(new TokenExpired());
      if (token === "unknown") return Promise.reject(new RealtimeError("UNAUTHENTICATED", "no"));
      return Promise.resolve({ userId: token ?? "nobody", scopes: new Set(), expiresAtMs: null });
    },
  };
  const deps = { authenticator, refusedTokens: new RefusedTokens(limiter) };
  const come = (token: string | null, network = "192.0.2.7") =>
    authenticate({ token, claimedUserId: null, guestSecret: null }, network, deps);
  return { clock, looked, come };
}

Deno.test("brute force: after too many refused tokens of an address no more of its tokens are looked at for a minute", async () => {
  const { clock, looked, come } = open();
  for (let attempt = 0; attempt < 3; attempt++) {
    assertEquals((await refusal(() => come("unknown"))).code, "UNAUTHENTICATED");
  }

  const refused = [await refusal(() => come("unknown")), await refusal(() => come("ann"))];
  const others = [await come("ann", "192.0.2.8"), await come(null)];

  assertEquals(refused.map(({ code, retryAfterMs }) => [code, retryAfterMs]), [
    ["RATE_LIMITED", 60_000],
    ["RATE_LIMITED", 60_000],
  ]);
  assertEquals(others.map(({ userId }) => userId), ["ann", "nobody"]);
  assertEquals(looked, ["unknown", "unknown", "unknown", "ann", null]);
  clock.advance(60_000);
  assertEquals((await come("ann")).userId, "ann");
});

Deno.test("brute force: expired tokens are nobody's guess", async () => {
  const { come } = open();

  for (let attempt = 0; attempt < 10; attempt++) {
    assertEquals((await refusal(() => come("expired"))).message, "token expired");
  }

  assertEquals((await come("ann")).userId, "ann");
});
