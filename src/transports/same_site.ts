import type { IncomingMessage } from "node:http";
import { isJsonType } from "./request_body.ts";

/** What a refused request is told. */
export const PROOF_NEEDED = "Cannot act on a cookie alone: must come from an allowed Origin, " +
  "with sec-fetch-site: same-origin, or with the header apollo-require-preflight";

/**
 * Headers that a foreign page may send only after it was allowed to (Fetch standard, CORS preflight).
 *
 * Last-Event-ID is none of them: an EventSource sends it anywhere, and asks nobody.
 */
const ASKED_FOR_HEADERS = ["x-session-id", "x-user-id", "apollo-require-preflight"] as const;

/**
 * Whether a request whose only token is a cookie proves that a page which may use it has sent it.
 *
 * A browser adds the cookie to whatever any page sends. So the cookie says who, and not
 * that they want it. The request's Origin and Host have been judged before (`access.ts`):
 * an Origin that is still here is one that is let in.
 */
export function provesItsPage(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (headers.origin !== undefined) return true;
  // Every browser names the Origin of a WebSocket, and no page can add a header to one.
  if (headers.upgrade?.toLowerCase() === "websocket") return false;
  const site = headers["sec-fetch-site"];
  // Typed by the user, or a bookmark: no page had a hand in it.
  if (site === "none") return method === "GET" && headers["sec-fetch-mode"] === "navigate";
  if (site !== undefined) return site === "same-origin";
  // No browser, an older one, or a server without TLS.
  if (method === "POST" && isJsonType(headers["content-type"])) return true;
  return ASKED_FOR_HEADERS.some((name) => headers[name] !== undefined);
}

/**
 * Whether a foreign page's link, form, image or script has sent a request, by the browser's own word.
 *
 * Such requests have no Origin. A page that uses fetch or EventSource sends one, which is judged by itself.
 */
export function isSentByForeignTag({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return headers.origin === undefined && site !== undefined && site !== "same-origin" && site !== "none";
}
