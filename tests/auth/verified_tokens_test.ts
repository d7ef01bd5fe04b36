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
