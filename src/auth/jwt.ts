import { createHash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from "jose";
import { type Authenticator, type Principal, TokenExpired } from "../core/auth.ts";
import type { Clock } from "../core/clock.ts";
import { RealtimeError } from "../core/errors.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { readClaims } from "./claims.ts";
import { VerifiedTokens } from "./verified_tokens.ts";
import { KeysUnavailable, publicKeys, remoteKeys, secretKeys, type TokenKeys } from "./token_keys.ts";

/** Where the keys come from. */
export type KeySource =
  | { readonly kind: "secret" | "publicKeys"; readonly text: string }
  | { readonly kind: "url"; readonly url: string };

/** What checking tokens needs. */
export interface JwtAuthenticatorDeps {
  readonly keys: KeySource;
  /** What `iss` must be, and `aud` must hold; undefined: whatever it is. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** How far the clocks of issuer and server may be apart, in milliseconds. */
  readonly leewayMs: number;
  readonly clock: Pick<Clock, "now">;
  readonly telemetry: Telemetry;
}

/** Larger ones come from nobody who means well, and are not looked at. */
const MAX_TOKEN_LENGTH = 8_192;
const RETRY_AFTER_MS = 5_000;
/** Characters of a token's name, of six bits each. */
const TOKEN_ID_LENGTH = 22;

/**
 * Users are whom their token (RFC 7519, signed as RFC 7515 says) names in `sub`.
 *
 * Which algorithms count follows from the keys, and nothing in a token's header is
 * believed but which of them to try. Every token that is refused is so in the same
 * words, but for one that has merely expired: its client can do something about that.
 */
export function createJwtAuthenticator(deps: JwtAuthenticatorDeps): Authenticator {
  const { issuer, audience, leewayMs, clock, telemetry } = deps;
  const verified = new VerifiedTokens(leewayMs);
  let keys: TokenKeys | undefined;

  return {
    usesGuestCookie: false,
    needsToken: true,
    leewayMs,
    async open() {
      keys = await openKeys(deps.keys);
    },
    wasGood: (token) => verified.has(token),
    async authenticate({ token }) {
      if (token === null) {
        throw new RealtimeError("UNAUTHENTICATED", "Cannot do this without a token (Authorization: Bearer …)");
      }
      const nowMs = clock.now();
      const known = verified.find(token, nowMs);
      if (known !== undefined) return known;
      try {
        const principal = await check(token, nowMs);
        verified.add(token, principal, nowMs);
        return principal;
      } catch (error) {
        if (!(error instanceof KeysUnavailable)) verified.forget(token);
        throw refusal(error);
      }
    },
  };

  async function check(token: string, nowMs: number): Promise<Principal> {
    if (keys === undefined) throw new TypeError("Cannot check a token before open()");
    if (token.length > MAX_TOKEN_LENGTH) throw new Error("too long");
    const claims = await verify(token, keys, {
      algorithms: [...keys.algorithms],
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
      clockTolerance: leewayMs / 1_000,
      currentDate: new Date(nowMs),
    });
    return { ...readClaims(claims, { nowMs, leewayMs }), tokenId: hashOf(token) };
  }

  function refusal(error: unknown): RealtimeError {
    if (error instanceof errors.JWTExpired) return new TokenExpired();
    if (error instanceof KeysUnavailable) {
      telemetry.record("warn", "auth.keys_unavailable", { error: describeError(error.cause) });
      return new RealtimeError("ENGINE_UNAVAILABLE", "Cannot check tokens for now: try again", {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    telemetry.record("info", "auth.token_refused", { reason: reasonOf(error) });
    return new RealtimeError("UNAUTHENTICATED", "Cannot use this token: must be a valid one for this server");
  }
}

/** Enough of a hash to tell tokens apart, and nothing of the token. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url").slice(0, TOKEN_ID_LENGTH);
}

/** Why, for the log, and without any part of the token: some messages of jose have one. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `unexpected "${error.claim}" claim`;
  if (error instanceof errors.JOSEError) return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** Tries each key that may have signed it. Nothing but a wrong signature lets the next one have a try. */
async function verify(token: string, keys: TokenKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  let candidates: readonly CryptoKey[] = [];
  let failure: unknown = new Error("no key");
  for (let at = 0; at === 0 || at < candidates.length; at++) {
    try {
      const { payload } = await jwtVerify(token, async (header, jws) => {
        if (at === 0) candidates = await keys.find(header, jws);
        const key = candidates[at];
        if (key === undefined) throw failure;
        return key;
      }, options);
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function openKeys(source: KeySource): Promise<TokenKeys> {
  if (source.kind === "url") return remoteKeys(source.url);
  return source.kind === "secret" ? secretKeys(source.text) : await publicKeys(source.text);
}
