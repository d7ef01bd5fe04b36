import { createHash } from "node:crypto";
import type { Authenticator, Scope } from "../core/auth.ts";
import { GUEST_PREFIX, parseClaimedUserId } from "../core/caller.ts";
import { createGuestSecret } from "../core/guest.ts";

/** What everybody may do in open mode. */
export interface OpenAuthenticatorOptions {
  readonly scopes: readonly Scope[];
}

/** Bytes of a secret's hash that a guest's id shows: 96 bits, as 24 hexadecimal digits. */
const ID_BYTES = 12;

/**
 * Open mode: everybody comes in, as whom they say they are or else as a guest.
 *
 * A token is ignored: nothing here could judge it. A guest's id is a hash of its
 * secret, so that it can be shown to everybody and the secret to nobody.
 */
export function createOpenAuthenticator(options: OpenAuthenticatorOptions): Authenticator {
  const scopes: ReadonlySet<Scope> = new Set(options.scopes);
  return {
    usesGuestCookie: true,
    needsToken: false,
    leewayMs: 0,
    open: () => Promise.resolve(),
    wasGood: () => false,
    // deno-lint-ignore require-await -- a refusal must be a rejection, not a throw
    async authenticate({ claimedUserId, guestSecret }) {
      const userId = claimedUserId === null
        ? guestId(guestSecret ?? createGuestSecret())
        : parseClaimedUserId(claimedUserId);
      return { userId, scopes, expiresAtMs: null };
    },
  };
}

function guestId(secret: string): string {
  // node:crypto takes 1 µs where crypto.subtle takes 26, once for each connection and request.
  return GUEST_PREFIX + createHash("sha256").update(secret).digest("hex").slice(0, 2 * ID_BYTES);
}
