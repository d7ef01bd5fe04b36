import type { IncomingMessage } from "node:http";
import { getCookies } from "@std/http/cookie";

/** Where a request's token was. */
export type TokenCarrier = "header" | "cookie" | "query";

/** A token, and where it was. Nobody has looked at it yet. */
export interface CarriedToken {
  readonly text: string;
  readonly carrier: TokenCarrier;
}

/**
 * The token that a request brings along; undefined when it brings none.
 *
 * The first of these that there is counts, good or not: the `Authorization` header, the
 * cookie, `token` in the query. The last one shows in places where no secret belongs;
 * it is read because browsers can send nothing else with a WebSocket or an EventSource.
 */
export function readToken(request: IncomingMessage, cookieName: string): CarriedToken | undefined {
  const { authorization, cookie } = request.headers;
  const fromHeader = bearerToken(authorization);
  if (fromHeader !== undefined) return { text: fromHeader, carrier: "header" };
  const fromCookie = cookie === undefined ? undefined : getCookies(new Headers({ cookie }))[cookieName];
  if (fromCookie) return { text: fromCookie, carrier: "cookie" };
  const fromQuery = queryToken(request.url);
  return fromQuery ? { text: fromQuery, carrier: "query" } : undefined;
}

/**
 * The token of an `Authorization`, which may come without its scheme (RFC 6750 section 2.1).
 *
 * Undefined for another scheme's credentials: they are a proxy's, and no token.
 */
export function bearerToken(authorization: unknown): string | undefined {
  if (typeof authorization !== "string") return undefined;
  const token = authorization.trim().replace(/^bearer(?: +|$)/i, "");
  return token === "" || token.includes(" ") ? undefined : token;
}

function queryToken(url: string | undefined): string | null {
  const at = url?.indexOf("?") ?? -1;
  return at === -1 ? null : new URLSearchParams(url!.slice(at)).get("token");
}
