import type { Heard, Publishing, Subscribing } from "./peer.ts";

/** The subprotocol spoken here. */
export const GRAPHQL_TRANSPORT_WS = "graphql-transport-ws";

/** A GraphQL operation about a room, which is in its variable `$room`. */
export interface RoomOperation {
  readonly query: string;
  /** The root field of the answer. */
  readonly field: string;
}

/** A subscription with a field `content` for each of the rooms, over graphql-transport-ws; with a token where one is asked for. */
export function subscribeWith(
  { query, field }: RoomOperation,
  rooms: readonly string[],
  token?: string,
): Subscribing {
  const roomOf = new Map(rooms.map((room) => [crypto.randomUUID() as string, room]));
  const [only = ""] = roomOf.keys();
  return {
    opening: formatInit(token),
    mark: roomOf.size === 1 ? only : "",
    hear(text) {
      const message = parse(text);
      if (message.type === "connection_ack") {
        const reply = [...roomOf].map(([id, room]) => formatSubscribe({ id, query, variables: { room } }));
        return { kind: "ready", reply };
      }
      if (message.type !== "next") return hearOther(message, text);
      const room = typeof message.id === "string" ? roomOf.get(message.id) : undefined;
      if (room === undefined) throw unexpected(text);
      return { kind: "delivery", content: readContent(message.payload, field), room };
    },
  };
}

/** A mutation of `$room` and `$content` with a field `success`, over graphql-transport-ws. */
export function publishWith({ query, field }: RoomOperation, token?: string): Publishing {
  /** Operations under way, and whether each has been answered with success. */
  const pending = new Map<unknown, boolean>();
  return {
    opening: formatInit(token),
    send(room, content) {
      const id = crypto.randomUUID();
      pending.set(id, false);
      return formatSubscribe({ id, query, variables: { room, content } });
    },
    hear(text) {
      const message = parse(text);
      if (message.type === "connection_ack") return { kind: "ready" };
      if (message.type === "next" && pending.get(message.id) === false) {
        if (readField(message.payload, field).success !== true) throw unexpected(text);
        pending.set(message.id, true);
        return { kind: "nothing" };
      }
      if (message.type === "complete" && pending.get(message.id) === true) {
        pending.delete(message.id);
        return { kind: "published" };
      }
      return hearOther(message, text);
    },
  };
}

/** The `content` of a result's root field; throws when there are errors, or no content. */
export function readContent(result: unknown, field: string): string {
  const { content } = readField(result, field);
  if (typeof content !== "string") throw unexpected(JSON.stringify(result));
  return content;
}

interface Message {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly payload?: unknown;
}

interface Result {
  readonly data?: Readonly<Record<string, Readonly<Record<string, unknown>> | null | undefined>> | null;
  readonly errors?: unknown;
}

interface SubscribeOptions {
  readonly id: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, string>>;
}

function formatInit(token: string | undefined): string {
  return JSON.stringify({ type: "connection_init", ...(token === undefined ? {} : { payload: { token } }) });
}

function formatSubscribe({ id, query, variables }: SubscribeOptions): string {
  return JSON.stringify({ id, type: "subscribe", payload: { query, variables } });
}

function parse(text: string): Message {
  return JSON.parse(text);
}

/** What both sides hear alike: the protocol's own ping, whose payload comes back. */
function hearOther({ type, payload }: Message, text: string): Heard {
  if (type === "pong") return { kind: "nothing" };
  if (type === "ping") return { kind: "nothing", reply: [JSON.stringify({ type: "pong", payload })] };
  throw unexpected(text);
}

function readField(result: unknown, field: string): Readonly<Record<string, unknown>> {
  const { data, errors } = (result ?? {}) as Result;
  const value = data?.[field];
  if (errors !== undefined || value === undefined || value === null) throw unexpected(JSON.stringify(result));
  return value;
}

function unexpected(text: string): Error {
  return new Error(`Cannot accept what the server said: ${text}`);
}
