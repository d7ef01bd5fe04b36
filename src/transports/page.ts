import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RealtimeError } from "../core/errors.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { answerError } from "./http_error.ts";

/** What a browser gets, the same for everybody. */
export interface PageContent {
  /** The media type, with its charset. */
  readonly type: string;
  readonly text: string;
  /** The page's Content-Security-Policy: what it may load and run. */
  readonly policy: string;
}

/** What is written into pages about their server. */
export interface PageOptions {
  /** Whether nobody can do anything without a token. */
  readonly needsToken: boolean;
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean;
}

/** What a page needs. */
export interface PageDeps {
  /** The page's name in the log. */
  readonly name: string;
  /** Makes the content. Called at the first request, and again only after it has failed. */
  readonly load: () => Promise<PageContent>;
  readonly telemetry: Telemetry;
}

/** One way to write a content, with the validator of exactly these bytes (RFC 9110, 8.8.1). */
interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

interface LoadedPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly identity: Encoded;
  readonly gzip: Encoded;
}

/** What is handed to the socket at once, in bytes: a slow reader of a big page holds no more. */
const CHUNK_BYTES = 65_536;

/** What no page of ours asks a browser for, and no script in one is to. */
const PERMISSIONS =
  "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), hid=()";

/** A page: made when first asked for, compressed once, and kept. */
export class Page {
  readonly #deps: PageDeps;
  #loaded: Promise<LoadedPage> | undefined;

  constructor(deps: PageDeps) {
    this.#deps = deps;
  }

  /** Answers a GET or HEAD. Nothing of the request but its validators and encodings is looked at. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let page: LoadedPage;
    try {
      page = await (this.#loaded ??= this.#load());
    } catch (error) {
      this.#loaded = undefined;
      this.#deps.telemetry.record("error", "page.failed", { page: this.#deps.name, error: describeError(error) });
      return answerError(
        response,
        new RealtimeError(
          "INTERNAL_SERVER_ERROR",
          "Cannot show this page: it could not be loaded, see the server's log",
        ),
      );
    }
    const isCompressed = acceptsGzip(request.headers["accept-encoding"]);
    const { bytes, etag } = isCompressed ? page.gzip : page.identity;
    for (const [name, value] of Object.entries(page.headers)) response.setHeader(name, value);
    response.setHeader("etag", etag);
    if (matches(request.headers["if-none-match"], etag)) return void response.writeHead(304).end();
    if (isCompressed) response.setHeader("content-encoding", "gzip");
    response.setHeader("content-length", bytes.length);
    response.writeHead(200);
    if (request.method === "HEAD") return void response.end();
    await pipeline(Readable.from(chunksOf(bytes)), response).catch(() => {
      // The reader has gone; there is nobody to tell.
    });
  }

  async #load(): Promise<LoadedPage> {
    const { type, text, policy } = await this.#deps.load();
    const bytes = new TextEncoder().encode(text);
    return {
      headers: {
        "content-type": type,
        "content-security-policy": policy,
        // Kept by the browser, and asked about each time: a new version is seen at once.
        "cache-control": "no-cache",
        "vary": "Origin, Accept, Accept-Encoding",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": PERMISSIONS,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      },
      identity: encoded(bytes),
      gzip: encoded(await compress(bytes)),
    };
  }
}

/** The source expression that lets exactly this inline text run (CSP 3, hash-source). */
export function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function encoded(bytes: Uint8Array<ArrayBuffer>): Encoded {
  return { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url")}"` };
}

/** Compresses off the event loop: the big page takes a quarter of a second. */
async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

function acceptsGzip(accepted: string | string[] | undefined): boolean {
  return String(accepted ?? "").toLowerCase().split(",").some((part) => {
    const [coding, ...parameters] = part.split(";").map((text) => text.trim());
    return coding === "gzip" && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

/** Whether the client holds these bytes already. Weak comparison, as RFC 9110 has it for If-None-Match. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(",").some((known) => known.trim().replace(/^W\//, "") === etag) ?? false;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
}
