import { Buffer } from "node:buffer";
import type { GraphQLError } from "graphql";
import type { FrameEncoding } from "../graphql/live_frame.ts";

/** How a subscription is written into an HTTP answer that stays open. */
export interface StreamFormat {
  /** What it is called in logs. */
  readonly name: "sse" | "multipart";
  readonly contentType: string;
  /** The status of an answer that refuses the subscription; its body is `{"errors":[…]}`. */
  readonly refusalStatus: number;
  /** What comes first; the cursor is where the subscription begins. */
  open(cursor: string): Uint8Array;
  /** One event. */
  readonly event: FrameEncoding;
  /** An unshared result, of a field that is no live one. */
  result(json: string): Uint8Array;
  /** Errors that end the subscription. */
  errors(errors: readonly GraphQLError[]): Uint8Array;
  /** Says where the reader is, after events that were not for it; empty when there is no way to. */
  place(cursor: string): Uint8Array;
  /** A sign of life that clients pass over. */
  readonly beat: Uint8Array;
  /** What comes last when there will be no more events. */
  readonly end: Uint8Array;
}

/**
 * Server-Sent Events, as EventSource reads them (HTML standard, section 9.2) and
 * graphql-sse in its distinct connections mode.
 *
 * The first block has an id without data: a browser remembers it, and names it in
 * Last-Event-ID when it comes back before the first event.
 */
export const SSE: StreamFormat = {
  name: "sse",
  contentType: "text/event-stream; charset=utf-8",
  refusalStatus: 400,
  open: (cursor) => Buffer.from(`retry: 1000\nid: ${cursor}\n:\n\n`),
  // The id last: whoever keeps the last one it has seen, and was cut off in the midst of an event, has not got that.
  event: ({ cursor, text }) => Buffer.from(`event: next\ndata: ${text}\nid: ${cursor}\n\n`),
  result: (json) => Buffer.from(`event: next\ndata: ${json}\n\n`),
  errors: (errors) => Buffer.from(`event: next\ndata: ${JSON.stringify({ errors })}\n\n`),
  place: (cursor) => Buffer.from(`id: ${cursor}\n\n`),
  beat: Buffer.from(":\n\n"),
  end: Buffer.from("event: complete\ndata:\n\n"),
};

/**
 * Multipart subscriptions, as Apollo Client asks for them (GraphQL over HTTP multipart
 * subscriptions, subscriptionSpec 1.0).
 *
 * Each part ends with the next one's delimiter, so that a client need not wait for the
 * next part to know that this one is whole.
 */
export const MULTIPART: StreamFormat = {
  name: "multipart",
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  // Apollo Client reads errors from an answer that succeeds.
  refusalStatus: 200,
  open: () => Buffer.from("--graphql"),
  event: ({ text }) => part(`{"payload":${text}}`),
  result: (json) => part(`{"payload":${json}}`),
  errors: (errors) => part(JSON.stringify({ payload: null, errors })),
  place: () => NOTHING,
  beat: part("{}"),
  end: Buffer.from("--\r\n"),
};

const NOTHING = new Uint8Array(0);

function part(json: string): Uint8Array {
  return Buffer.from(`\r\nContent-Type: application/json\r\n\r\n${json}\r\n--graphql`);
}

/**
 * Chooses by what the client accepts, first come first served; undefined when neither.
 *
 * Apollo Client asks for `multipart/mixed` with a `subscriptionSpec`. A client that
 * accepts anything gets Server-Sent Events.
 */
export function chooseFormat(accept: string | undefined): StreamFormat | undefined {
  for (const one of (accept ?? "*/*").split(",")) {
    const [type, ...parameters] = one.split(";").map((text) => text.trim().toLowerCase());
    if (type === "text/event-stream" || type === "*/*" || type === "text/*") return SSE;
    const specified = parameters.some((text) => text.startsWith("subscriptionspec="));
    if (type === "multipart/mixed" && specified) return MULTIPART;
  }
  return undefined;
}
