import { assert, assertEquals } from "@std/assert";
import { createGuestSecret, isGuestSecret } from "../../src/core/guest.ts";

Deno.test("createGuestSecret() makes secrets that pass as such and never repeat", () => {
  const secrets = Array.from({ length: 1_000 }, createGuestSecret);

  assertEquals(new Set(secrets).size, secrets.length);
  assert(secrets.every(isGuestSecret));
});

Deno.test("isGuestSecret() refuses what createGuestSecret() cannot have made", () => {
  const secret = createGuestSecret();
  for (
    const value of ["", "x", secret.slice(1), `${secret}A`, `${secret}\n`, ` ${secret.slice(1)}`, `+${secret.slice(1)}`]
  ) {
    assertEquals(isGuestSecret(value), false, JSON.stringify(value));
  }
});
