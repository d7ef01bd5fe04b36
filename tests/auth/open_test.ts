import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { createOpenAuthenticator } from "../../src/auth/open.ts";
import type { Credentials } from "../../src/core/auth.ts";
import { createGuestSecret } from "../../src/core/guest.ts";
import { RealtimeError } from "../../src/core/errors.ts";

const authenticator = createOpenAuthenticator({ scopes: ["read", "send"] });

function authenticate(credentials: Partial<Credentials>) {
  return authenticator.authenticate({ token: null, claimedUserId: null, guestSecret: null, ...credentials });
}

Deno.test("createOpenAuthenticator() makes a caller the user it claims to be, with the given scopes", async () => {
  const principal = await authenticate({ claimedUserId: "ann", guestSecret: createGuestSecret() });

  assertEquals(principal, { userId: "ann", scopes: new Set(["read", "send"] as const), expiresAtMs: null });
});

Deno.test("createOpenAuthenticator() knows a guest again by its secret", async () => {
  const guestSecret = createGuestSecret();

  const first = await authenticate({ guestSecret });
  const again = await authenticate({ guestSecret });
  const other = await authenticate({ guestSecret: createGuestSecret() });

  assertEquals(again.userId, first.userId);
  assertNotEquals(other.userId, first.userId);
});

Deno.test("createOpenAuthenticator() shows 96 bits of the secret's SHA-256 as the guest's id", async () => {
  const { userId } = await authenticate({ guestSecret: "abc" });

  assertEquals(userId, "guest-ba7816bf8f01cfea414140de");
});

Deno.test("createOpenAuthenticator() makes a caller without a cookie a guest nobody else is", async () => {
  const [one, two] = await Promise.all([authenticate({}), authenticate({})]);

  assertMatch(one.userId, /^guest-[0-9a-f]{24}$/);
  assertNotEquals(one.userId, two.userId);
});

Deno.test("createOpenAuthenticator() ignores a token", async () => {
  const { userId } = await authenticate({ token: "not.a.token", claimedUserId: "ann" });

  assertEquals(userId, "ann");
});

for (const claimedUserId of ["guest-ba7816bf8f01cfea414140de", "guest-", "server", "server-2"]) {
  Deno.test(`createOpenAuthenticator() refuses the reserved id "${claimedUserId}"`, async () => {
    const error = await assertRejects(() => authenticate({ claimedUserId }), RealtimeError);

    assertEquals(error.code, "UNAUTHENTICATED");
    assert(error.message.includes(claimedUserId));
  });
}

Deno.test("createOpenAuthenticator() refuses an id that is none, and makes no guest of its claimer", async () => {
  for (const claimedUserId of ["", "an n", "a".repeat(129), "a\u0000"]) {
    const error = await assertRejects(() => authenticate({ claimedUserId }), RealtimeError);
    assertEquals(error.code, "BAD_USER_INPUT");
  }
});
