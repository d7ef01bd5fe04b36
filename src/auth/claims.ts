import type { JWTPayload } from "jose";
import { type Principal, type Scope, SCOPES } from "../core/auth.ts";
import { parseClaimedUserId } from "../core/caller.ts";
import { parseRoomRights } from "./room_rights.ts";

/** What everybody with a token may do, in the rooms that it names or in all. */
const EVERYBODY: readonly Scope[] = ["read", "send", "join"];
/** What a token has to say. */
const GIVEN: ReadonlySet<string> = new Set(SCOPES.filter((scope) => !EVERYBODY.includes(scope)));
/** The last second that a date can be made of (ECMA-262, section 21.4.1.1). */
const LAST_SECOND = 8_640_000_000_000;

/** When a token was checked, and how far clocks may be apart. Both in milliseconds. */
export interface CheckTime {
  readonly nowMs: number;
  readonly leewayMs: number;
}

/**
 * Makes a principal of a token's claims (RFC 7519 section 4), whose signature, issuer, audience and age are right.
 *
 * Read strictly: an `exp` there must be, and what is not of the type it should have is
 * no token of ours. Scopes that mean nothing here are passed over.
 *
 * @throws {Error} that says which claim it is
 */
export function readClaims(claims: JWTPayload, { nowMs, leewayMs }: CheckTime): Principal {
  const { exp, iat, nbf } = claims;
  const expiresAtMs = readSeconds("exp", exp) * 1_000;
  if (nbf !== undefined) readSeconds("nbf", nbf);
  if (iat !== undefined && readSeconds("iat", iat) * 1_000 > nowMs + leewayMs) throw badClaim("iat");
  return {
    userId: readSubject(claims),
    scopes: new Set([...EVERYBODY, ...readScopes(claims)]),
    expiresAtMs,
    ...(claims["rooms"] === undefined ? {} : { rooms: parseRoomRights(claims["rooms"]) }),
  };
}

/** The ids of guests and of the server itself are nobody else's, whoever signs for it. */
function readSubject({ sub }: JWTPayload): string {
  try {
    return parseClaimedUserId(sub);
  } catch (cause) {
    throw badClaim("sub", cause);
  }
}

function readSeconds(claim: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > LAST_SECOND) throw badClaim(claim);
  return value;
}

/** `scope` as OAuth has it (RFC 8693 section 4.2): words with spaces between; `scopes` as an array. */
function readScopes({ scope = "", scopes = [] }: JWTPayload & { scope?: unknown; scopes?: unknown }): readonly Scope[] {
  if (typeof scope !== "string") throw badClaim("scope");
  if (!Array.isArray(scopes) || !scopes.every((one) => typeof one === "string")) throw badClaim("scopes");
  return [...scope.split(" "), ...scopes].filter((one): one is Scope => GIVEN.has(one));
}

function badClaim(claim: string, cause?: unknown): Error {
  return new Error(`unexpected "${claim}" claim`, { cause });
}
