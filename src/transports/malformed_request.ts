import type { IncomingMessage } from "node:http";

/** What is wrong with the form of a request. */
export interface RequestFault {
  /** Of the answer, behind which the connection is closed. */
  readonly status: 400 | 431;
  /** What must be; it stands behind "Cannot read this request:". */
  readonly requirement: string;
}

/** The parser keeps the first 2,000 without a word: behind them an Origin would not be seen. */
const MAX_HEADERS = 200;
/** Of two, a proxy before us may have gone by the other (RFC 9110, section 5.3). */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(["host", "content-type", "authorization"]);
const VERSIONS: ReadonlySet<string> = new Set(["1.0", "1.1"]);

/**
 * Finds what the HTTP parser lets pass and two readers may understand differently.
 *
 * Where a proxy and this server disagree on where a request ends or whom it is for, one
 * request can be smuggled inside another. So nothing is guessed: such a request is
 * refused, and its connection closed.
 */
export function faultOf(request: IncomingMessage): RequestFault | undefined {
  const { headers, rawHeaders, httpVersion } = request;
  if (!VERSIONS.has(httpVersion)) return { status: 400, requirement: "must be HTTP/1.0 or HTTP/1.1" };
  if (rawHeaders.length > MAX_HEADERS * 2) {
    return { status: 431, requirement: `must have at most ${MAX_HEADERS} headers` };
  }
  const twice = findRepeated(rawHeaders);
  if (twice !== undefined) return { status: 400, requirement: `must have one ${twice} header` };
  if (headers.host === undefined) return { status: 400, requirement: "must have a host header" };
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  // In HTTP/1.0 there is no such thing: the parser hands the body over, and then complains of it.
  if (httpVersion === "1.0") return { status: 400, requirement: "must say its length by content-length" };
  if (coding.toLowerCase() !== "chunked" || headers["content-length"] !== undefined) {
    return { status: 400, requirement: "must say its length once, by content-length or by transfer-encoding: chunked" };
  }
  return undefined;
}

function findRepeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
