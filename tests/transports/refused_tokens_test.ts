import { assertEquals } from "@std/assert";
import { type Authenticator, TokenExpired } from "../../src/core/auth.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { GuardedAuthenticator } from "../../src/core/guarded_authenticator.ts";
import { RefusedTokens } from "../../src/core/refused_tokens.ts";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { refusal } from "../support/refusal.ts";
import { LEEWAY_S, TokenWorld } from "../support/token_world.ts";

const A_MINUTE_MS = 60_000;

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
    wasGood: (token) => token === "seen",
    authenticate({ token }) {
      looked.push(token);
      if (token === "expired") return Promise.reject(new TokenExpired());
      if (token === "unknown") return Promise.reject(new RealtimeError("UNAUTHENTICATED", "no"));
      return Promise.resolve({ userId: token ?? "nobody", scopes: new Set(), expiresAtMs: null });
    },
  };
  const guarded = new GuardedAuthenticator(authenticator, new RefusedTokens(limiter));
  const come = (token: string | null, network = "192.0.2.7") =>
    guarded.authenticate({ token, claimedUserId: null, guestSecret: null }, network);
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

Deno.test("brute force: a token that was good before is let in, whatever others of its address try", async () => {
  const { come } = open();
  for (let attempt = 0; attempt < 3; attempt++) await refusal(() => come("unknown"));

  assertEquals((await refusal(() => come("ann"))).code, "RATE_LIMITED");
  assertEquals((await come("seen")).userId, "seen");
});

Deno.test("brute force: who was there before stays in while bad tokens come from the same address for minutes", async () => {
  await using world = await TokenWorld.start({ limits: { refusedTokensPerMinute: 5 } });
  const [ann, bob] = await Promise.all([world.token("ann", 200), world.token("bob", 600)]);
  const come = async (token: string) => (await world.post("{ viewer { userId } }", { authorization: token })).status;
  assertEquals(await come(ann), 200);

  const seen: unknown[] = [];
  for (let minute = 0; minute < 3; minute++) {
    for (let attempt = 0; attempt < 5; attempt++) await come(`bad.bad.${attempt}`);
    world.clock.advance(A_MINUTE_MS - 1);
    seen.push(await come("bad.bad.last"), await come(bob), await come(ann));
    world.clock.advance(1);
  }

  assertEquals(seen, [1, 2, 3].flatMap(() => [429, 429, 200]));
  for (let attempt = 0; attempt < 5; attempt++) await come(`bad.bad.${attempt}`);
  world.clock.advance((20 + LEEWAY_S) * 1_000);
  assertEquals(await come(ann), 401);
});

Deno.test("brute force: tokens that refreshToken refuses are counted with those of requests", async () => {
  await using world = await TokenWorld.start({ limits: { refusedTokensPerMinute: 5 } });
  const ann = await world.token("ann", 600);
  const refresh = async (token: string) => {
    const { errors } = await world.post(`mutation { refreshToken(token: "${token}") { success } }`, {
      authorization: ann,
    });
    return errors[0].extensions.code;
  };

  const codes: string[] = [];
  for (let attempt = 0; attempt < 7; attempt++) codes.push(await refresh(`bad.bad.${attempt}`));

  assertEquals(codes, [...Array(5).fill("UNAUTHENTICATED"), "RATE_LIMITED", "RATE_LIMITED"]);
  assertEquals((await world.post("{ viewer { userId } }", { authorization: await world.token("bob") })).status, 429);
});
