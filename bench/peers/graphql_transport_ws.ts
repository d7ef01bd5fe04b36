import type { Heard, Publishing, Subscribing } from "./peer.ts";

/** The subprotocol spoken here. */
export const GRAPHQL_TRANSPORT_WS = "graphql-transport-ws";

/** A GraphQL operation about one room. */
export interface RoomOperation {
  readonly query: string;
  /** The room, in `$room`. */
  readonly room: string;
  /** The root field of the answer. */
  readonly field: string;
}

/** A subscription with a field `content`, over graphql-transport-ws. */
export function subscribeWith({ query, room, field }: RoomOperation): Subscribing {
  const id = crypto.randomUUID();
  return {
    opening: CONNECTION_INIT,
    mark: id,
    hear(text) {
      const message = parse(text);
      if (message.type === "connection_ack") {
        return { kind: "ready", reply: formatSubscribe({ id, query, variables: { room } }) };
      }
      if (message.type !== "next") return hearOther(message, text);
      checkId(message, id, text);
      const { content } = readField(message, field, text);
      if (typeof content !== "string") throw unexpected(text);
      return { kind: "delivery", content };
    },
  };
}

/** A mutation of `$room` and `$content` with a field `success`, over graphql-transport-ws. */
export function publishWith({ query, room, field }: RoomOperation): Publishing {
  /** Operations under way, and whether each has been answered with success. */
  const pending = new Map<unknown, boolean>();
  return {
    opening: CONNECTION_INIT,
    send(content) {
      const id = crypto.randomUUID();
      pending.set(id, false);
      return formatSubscribe({ id, query, variables: { room, content } });
    },
    hear(text) {
      const message = parse(text);
      if (message.type === "connection_ack") return { kind: "ready" };
      if (message.type === "next" && pending.get(message.id) === false) {
        if (readField(message, field, text).success !== true) throw unexpected(text);
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

const CONNECTION_INIT = JSON.stringify({ type: "connection_init" });

function formatSubscribe({ id, query, variables }: SubscribeOptions): string {
  return JSON.stringify({ id, type: "subscribe", payload: { query, variables } });
}

function parse(text: string): Message {
  return JSON.parse(text);
}

/** What both sides hear alike: the protocol's own ping, whose payload comes back. */
function hearOther({ type, payload }: Message, text: string): Heard {
  if (type === "pong") return { kind: "nothing" };
  if (type === "ping") return { kind: "nothing", reply: JSON.stringify({ type: "pong", payload }) };
  throw unexpected(text);
}

function checkId(message: Message, id: string, text: string): void {
  if (message.id !== id) throw unexpected(text);
}

function readField({ payload }: Message, field: string, text: string): Readonly<Record<string, unknown>> {
  const { data, errors } = (payload ?? {}) as Result;
  const value = data?.[field];
  if (errors !== undefined || value === undefined || value === null) throw unexpected(text);
  return value;
}

function unexpected(text: string): Error {
  return new Error(`Cannot accept what the server said: ${text}`);
}
