import { assertEquals } from "@std/assert";
import { VerifiedTokens } from "../../src/auth/verified_tokens.ts";

const LEEWAY_MS = 30_000;

function principal(expiresAtMs: number) {
  return { userId: "ann", scopes: new Set<never>(), expiresAtMs };
}

Deno.test("VerifiedTokens knows a token for 30 s", () => {
  const tokens = new VerifiedTokens(LEEWAY_MS);
  const ann = principal(1_000_000);
  tokens.add("a.b.c", ann, 0);

  assertEquals(tokens.find("a.b.c", 29_999), ann);
  assertEquals(tokens.find("a.b.C", 1), undefined);
  assertEquals(tokens.find("a.b.c", 30_000), undefined);
});

Deno.test("VerifiedTokens knows no token beyond its leeway", () => {
  const tokens = new VerifiedTokens(LEEWAY_MS);
  const ann = principal(1_000_000);
  tokens.add("a.b.c", ann, 1_029_000);

  assertEquals(tokens.find("a.b.c", 1_029_999), ann);
  assertEquals(tokens.find("a.b.c", 1_030_000), undefined);
});

Deno.test("VerifiedTokens still knows that a token was good when it is to be checked again, until it is forgotten", () => {
  const tokens = new VerifiedTokens(LEEWAY_MS);
  tokens.add("a.b.c", principal(1_000_000), 0);

  assertEquals([tokens.find("a.b.c", 30_000), tokens.has("a.b.c"), tokens.has("a.b.C")], [undefined, true, false]);
  tokens.forget("a.b.c");

  assertEquals([tokens.find("a.b.c", 0), tokens.has("a.b.c")], [undefined, false]);
});

Deno.test("VerifiedTokens forgets first what was longest not found good", () => {
  const tokens = new VerifiedTokens(LEEWAY_MS);
  const ann = principal(1_000_000);
  for (let at = 0; at < 4_096; at++) tokens.add(`t${at}`, ann, 0);
  tokens.add("t0", ann, 30_000);
  tokens.add("new", ann, 30_000);

  assertEquals([tokens.has("t0"), tokens.has("t1"), tokens.has("t2")], [true, false, true]);
});

Deno.test("VerifiedTokens is bounded by number and by length", () => {
  const tokens = new VerifiedTokens(LEEWAY_MS);
  const ann = principal(1_000_000);
  const long = "x".repeat(2_049);
  tokens.add(long, ann, 0);
  for (let at = 0; at <= 4_096; at++) tokens.add(`t${at}`, ann, 0);

  assertEquals(tokens.find(long, 0), undefined);
  assertEquals(tokens.find("t0", 0), undefined);
  assertEquals(tokens.find("t1", 0), ann);
  assertEquals(tokens.find("t4096", 0), ann);
});
