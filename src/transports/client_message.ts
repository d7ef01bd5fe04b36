import { isDeeperThan } from "../core/json_depth.ts";

/** A message of graphql-transport-ws that a client may send, as far as it has been looked at. */
export interface ClientMessage {
  readonly type?: unknown;
  readonly payload?: unknown;
}

/** Types that only a server sends. makeServer takes them for its own fault: 4500, and an error in the log. */
const SERVER_TYPES: ReadonlySet<unknown> = new Set(["connection_ack", "next", "error"]);
/** What a Ping carries is sent back, and JSON is written by recursion: deeper text would overflow the stack. */
const MAX_PING_LEVELS = 100;

/**
 * Reads what a client says, so far as makeServer does not judge it itself.
 *
 * Undefined when it cannot be meant for a server: no JSON, or what only a server says.
 */
export function readClientMessage(text: string): ClientMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    // The caller closes: there is nothing to say of it beyond that it is none.
    return undefined;
  }
  // A text in a text too: makeServer would parse it once more.
  if (typeof message !== "object" || message === null) return undefined;
  const { type, payload }: ClientMessage = message;
  if (SERVER_TYPES.has(type)) return undefined;
  if (type === "ping" && isDeeperThan(payload, MAX_PING_LEVELS)) return undefined;
  return message;
}
