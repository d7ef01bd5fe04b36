import { deadline } from "@std/async/deadline";
import { EventSource } from "eventsource";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { SEND } from "./documents.ts";
import { type DeliveredMessage, HistoryChecker, type LossNotice } from "./history_checker.ts";

/** Somebody who follows the room; every delivery is judged. */
export interface CheckedReader extends AsyncDisposable {
  /** How each connection that ended did: the close codes, or the errors' texts. */
  readonly ends: readonly unknown[];
  /** Resolves once it has got so many different messages. */
  until(count: number): Promise<void>;
}

/** Which client follows. */
export type CheckedTransport = "graphql-ws" | "EventSource";

/** Where and what to follow. */
export interface FollowOptions {
  readonly port: number;
  /** A subscription to the room's messages, with `id room content` at least. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
const ROOM = "lobby";
const READER = "reader";

/** The room `lobby`: sends messages of any size into it, and judges what becomes of them. */
export class CheckedRoom {
  readonly checker = new HistoryChecker();
  readonly #url: string;
  #sent = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a message of so many characters; resolves with its cursor. */
  async send(length: number): Promise<string> {
    const name = String(this.#sent++);
    this.checker.sent({ content: name, room: ROOM });
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: SEND, variables: { room: ROOM, content: `${name} `.padEnd(length, "x") } }),
    });
    const { message } = (await response.json()).data.sendMessage;
    this.checker.acknowledged(name, message.id);
    return message.cursor;
  }

  /** Follows the room with a client that comes back whenever its connection ends. Called once. */
  follow(transport: CheckedTransport, options: FollowOptions): CheckedReader {
    // An EventSource says itself which event it had last.
    this.checker.subscribed(READER, { room: ROOM, client: transport, exactlyOnce: transport === "EventSource" });
    const received = new Set<string>();
    const ends: unknown[] = [];
    let look = (): void => {};
    let connections = 0;
    const stop = (transport === "EventSource" ? openEventSource : openSocket)(options, {
      connected: () => connections++ > 0 && this.checker.resumed(READER),
      ended: (how) => ends.push(how),
      delivered: ({ data: { messages }, extensions }) => {
        const name = messages.content.slice(0, messages.content.indexOf(" "));
        this.checker.delivered(READER, { ...messages, content: name }, extensions);
        received.add(name);
        look();
      },
    });
    return {
      ends,
      async until(count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        look = () => received.size >= count && resolve();
        look();
        await deadline(promise, PATIENCE_MS);
      },
      [Symbol.asyncDispose]: stop,
    };
  }

  /** The reader is live: what is sent from now on must reach it. */
  live(): void {
    this.checker.live(READER);
  }
}

/** What a client tells of its connections. */
interface Sink {
  connected(): void;
  ended(how: unknown): void;
  delivered(result: Result): void;
}

interface Result {
  readonly data: { readonly messages: DeliveredMessage };
  readonly extensions: LossNotice;
}

function openSocket({ port, query, variables = {} }: FollowOptions, sink: Sink): () => Promise<void> {
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    retryWait: () => Promise.resolve(),
    on: { connected: sink.connected, closed: (event) => sink.ended((event as CloseEvent).code) },
  });
  const stop = client.subscribe({ query, variables: { ...variables } }, {
    next: (result) => sink.delivered(result as unknown as Result),
    error: sink.ended,
    complete() {},
  });
  return async () => {
    stop();
    await client.dispose();
  };
}

function openEventSource({ port, query, variables = {} }: FollowOptions, sink: Sink): () => Promise<void> {
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const source = new EventSource(`http://127.0.0.1:${port}/graphql?${search}`);
  source.addEventListener("open", sink.connected);
  source.addEventListener("error", ({ message }) => sink.ended(message));
  source.addEventListener("next", ({ data }) => sink.delivered(JSON.parse(data)));
  return () => Promise.resolve(source.close());
}
