import type { IncomingMessage, ServerResponse } from "node:http";
import { isLoopbackHost } from "../core/loopback.ts";

/** Which pages and which names of this server are let in. */
export interface AccessOptions {
  /** True while the server is open to everybody on this machine: then only loopback names are its own. */
  readonly openOnLoopback: boolean;
  /** Origins beside the server's own, as `scheme://host[:port]`. */
  readonly allowedOrigins: readonly string[];
}

/** Why a request is not let in, for the log and for its sender. */
export type AccessRefusal = "no host" | "host" | "origin";

/** Headers a page of another origin may send. */
const ALLOWED_HEADERS = "content-type, authorization, x-user-id, x-session-id, last-event-id, apollo-require-preflight";
const PREFLIGHT_SECONDS = "600";

/**
 * Judges who may talk to the server, by Host and Origin, before anything is read.
 *
 * The Host check keeps a foreign name that resolves to this machine from reaching an
 * open server (DNS rebinding). The Origin check keeps foreign pages out; a request
 * without an Origin comes from no page. Both compare what was parsed, never substrings.
 */
export class Access {
  readonly #openOnLoopback: boolean;
  readonly #allowed: ReadonlySet<string>;
  /** The last Host that was read: nearly every request names the same one. */
  #lastHost: { readonly text: string | undefined; readonly parsed: URL | undefined } | undefined;

  constructor(options: AccessOptions) {
    this.#openOnLoopback = options.openOnLoopback;
    this.#allowed = new Set(options.allowedOrigins.map((origin) => new URL(origin).origin));
  }

  /** Why the request is not let in; undefined when it is. */
  judge(request: IncomingMessage): AccessRefusal | undefined {
    const host = this.#hostOf(request);
    if (host === undefined) return "no host";
    if (this.#openOnLoopback && !isLoopbackHost(host.hostname)) return "host";
    const { origin } = request.headers;
    if (origin === undefined) return isForeignEmbed(request) ? "origin" : undefined;
    return this.#allows(origin, request) ? undefined : "origin";
  }

  /** Says what a page of the request's origin, which was let in, may read (CORS, Fetch standard). */
  writeCorsHeaders(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    if (origin === undefined) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-credentials", "true");
  }

  /** Answers a preflight of a request that was let in. */
  answerPreflight(response: ServerResponse): void {
    response.setHeader("access-control-allow-methods", "GET, POST, OPTIONS");
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", PREFLIGHT_SECONDS);
    response.writeHead(204).end();
  }

  #hostOf({ headers: { host: text } }: IncomingMessage): URL | undefined {
    if (this.#lastHost?.text !== text) this.#lastHost = { text, parsed: parseAuthority(text) };
    return this.#lastHost?.parsed;
  }

  #allows(origin: string, request: IncomingMessage): boolean {
    const page = parseOrigin(origin);
    if (page === undefined) return false;
    if (isOwnPage(page, request)) return true;
    if (this.#openOnLoopback && isLoopbackHost(page.hostname)) return true;
    return this.#allowed.has(page.origin);
  }
}

/**
 * Whether a foreign page's tag (an image, a script) asks: browsers send no Origin with
 * those, but say so (Fetch Metadata). Following a link is nobody's attack.
 */
function isForeignEmbed({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] !== "navigate";
}

/**
 * Whether a page is the server's own: of the same host and port.
 *
 * Behind a proxy that ends TLS the server's scheme is not known here, so an `https:` page
 * is believed. An `http:` page is not where the server is reached by TLS: whoever sits on
 * the wire writes such pages. The proxy says so, or the browser does, for which that page
 * is of another site; and neither can a page forge.
 */
function isOwnPage(page: URL, { headers }: IncomingMessage): boolean {
  // Parsed with the page's scheme, which decides the port that is left out.
  if (URL.parse(`${page.protocol}//${headers.host}`)?.host !== page.host) return false;
  if (page.protocol === "https:") return true;
  const site = headers["sec-fetch-site"];
  return (site === undefined || site === "same-origin") && !isForwardedFromTls(headers["x-forwarded-proto"]);
}

/** By the first proxy's word, which the client talked to; some write `wss` for a WebSocket. */
function isForwardedFromTls(protocols: string | string[] | undefined): boolean {
  return /^\s*(?:https|wss)\s*(?:,|$)/i.test(String(protocols ?? ""));
}

/** An Origin that is one: not `null`, nothing behind scheme, host and port. */
function parseOrigin(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null) return undefined;
  const isPage = url.protocol === "http:" || url.protocol === "https:";
  return isPage && url.origin === text.toLowerCase() ? url : undefined;
}

function parseAuthority(text: string | undefined): URL | undefined {
  if (text === undefined || /[/?#@\\\s]/.test(text)) return undefined;
  return URL.parse(`http://${text}`) ?? undefined;
}
