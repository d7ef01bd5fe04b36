import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { RealtimeError } from "../core/errors.ts";

/**
 * Reads a request's body, up to a bound.
 *
 * @throws {RealtimeError} `PAYLOAD_TOO_LARGE` as soon as more has come or is announced;
 * the rest is not read.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(maxBytes: number): RealtimeError {
  return new RealtimeError("PAYLOAD_TOO_LARGE", `Cannot read this body: at most ${maxBytes} bytes are allowed`, {
    limit: maxBytes,
  });
}

/**
 * Whether a body is JSON by its type.
 *
 * Other types a foreign page can send without asking first (Fetch standard, CORS-safelisted).
 */
export function isJsonType(type: string | undefined): boolean {
  return type !== undefined && /^application\/(?:json|graphql\+json)\s*(?:;|$)/i.test(type);
}
