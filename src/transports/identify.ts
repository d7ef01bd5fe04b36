import type { IncomingMessage, ServerResponse } from "node:http";
import { getCookies } from "@std/http/cookie";
import { ulid } from "@std/ulid";
import type { Authenticator, Credentials } from "../core/auth.ts";
import { type Caller, parseSessionId, parseUserId } from "../core/caller.ts";
import { createGuestSecret, isGuestSecret } from "../core/guest.ts";
import { RealtimeError } from "../core/errors.ts";
import type { GuardedAuthenticator } from "../core/guarded_authenticator.ts";
import type { Sessions } from "../core/sessions.ts";
import { type ClientAddresses, networkOf } from "./client_address.ts";
import { PROOF_NEEDED, provesItsPage } from "./same_site.ts";
import { bearerToken, type CarriedToken, readToken } from "./token_carriers.ts";

const GUEST_COOKIE = "graphql-rooms-guest";
const GUEST_COOKIE_SECONDS = 31_536_000;

/** A request's guest secret, and the Set-Cookie header that gives it one when it had none. */
export interface Guest {
  readonly secret: string | null;
  readonly setCookie: string | undefined;
}

/** What is known of a WebSocket's client before it has said who it is. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly guest: Guest;
  /** Where it comes from. */
  readonly address: string;
}

/** What telling callers apart needs. */
export interface IdentifyDeps {
  readonly authenticator: GuardedAuthenticator;
  readonly sessions: Sessions;
  /** The cookie that may hold a token. */
  readonly tokenCookie: string;
  readonly addresses: ClientAddresses;
}

/** Reads the guest cookie, or makes one. */
export function readGuest(request: IncomingMessage, authenticator: Pick<Authenticator, "usesGuestCookie">): Guest {
  if (!authenticator.usesGuestCookie) return { secret: null, setCookie: undefined };
  const { cookie } = request.headers;
  const known = cookie === undefined ? undefined : getCookies(new Headers({ cookie }))[GUEST_COOKIE];
  if (known !== undefined && isGuestSecret(known)) return { secret: known, setCookie: undefined };
  const secret = createGuestSecret();
  return {
    secret,
    setCookie: `${GUEST_COOKIE}=${secret}; Path=/; Max-Age=${GUEST_COOKIE_SECONDS}; HttpOnly; SameSite=Lax`,
  };
}

/**
 * Tells who sends an HTTP request: its token, `x-user-id`, `x-session-id`.
 *
 * @throws {RealtimeError} `UNAUTHENTICATED`, `RATE_LIMITED`, `FORBIDDEN` for a cookie that any page may send, `BAD_USER_INPUT`
 */
export async function identifyRequest(
  request: IncomingMessage,
  response: ServerResponse,
  deps: IdentifyDeps,
): Promise<Caller> {
  const { authenticator, sessions, addresses } = deps;
  const address = networkOf(addresses.of(request));
  const claimedUserId = headerOf(request, "x-user-id");
  const guest = readGuest(request, authenticator);
  const token = readToken(request, deps.tokenCookie);
  if (authenticator.needsToken && isUnproven(request, token)) throw new RealtimeError("FORBIDDEN", PROOF_NEEDED);
  const credentials = { token: token?.text ?? null, claimedUserId, guestSecret: guest.secret };
  const principal = await authenticator.authenticate(credentials, address);
  if (guest.setCookie !== undefined && claimedUserId === null) response.setHeader("set-cookie", guest.setCookie);
  const named = headerOf(request, "x-session-id");
  if (named === null) return { principal, sessionId: ulid(), namesSession: false, session: undefined, address };
  const sessionId = parseSessionId(named);
  return { principal, sessionId, namesSession: true, session: sessions.find(principal.userId, sessionId), address };
}

/** Whether nothing but a cookie says who asks, and any page may have made a browser send it. */
export function isUnproven(request: IncomingMessage, token: CarriedToken | undefined): boolean {
  return token?.carrier === "cookie" && !provesItsPage(request);
}

/**
 * What a connection_init says of its sender; what it does not say, the upgrade's headers do.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` for a user id that is none
 */
export function connectionCredentials(
  parameters: Readonly<Record<string, unknown>>,
  { request, guest }: Arrival,
  tokenCookie: string,
): Credentials {
  const { token, authorization, Authorization, userId } = parameters;
  const given = bearerToken(token) ?? bearerToken(authorization) ?? bearerToken(Authorization);
  return {
    token: given ?? readToken(request, tokenCookie)?.text ?? null,
    claimedUserId: userId === undefined || userId === null ? headerOf(request, "x-user-id") : parseUserId(userId),
    guestSecret: guest.secret,
  };
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}
