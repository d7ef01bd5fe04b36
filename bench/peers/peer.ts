import type { ServerProcess } from "./server_process.ts";

/**
 * A server the bench can measure: how to start it, and what to say to it.
 *
 * `prepare` is called once, before everything else; `start` once for each repeat.
 */
export interface Peer {
  readonly name: string;
  /** Path of the WebSocket. */
  readonly path: string;
  readonly subprotocol?: string;
  /** Whether connections offer compression, which the server must agree to. @default {false} */
  readonly compresses?: boolean;
  /** Installs what is missing; returns versions, for the machine line. A throw leaves this server out of the run. */
  prepare(): Promise<string>;
  /** Starts the server as its own process; resolves when it accepts connections. */
  start(): Promise<ServerProcess>;
  /** A new conversation that receives the messages of these rooms: one, or several on the same connection. */
  subscribe(rooms: readonly string[]): Subscribing;
  /** A new conversation that publishes, to any room. */
  publish(): Publishing;
  /** A new stream of Server-Sent Events with the room's messages; absence means that the server has none. */
  stream?(room: string): Streaming;
}

/** One connection's side of a conversation above WebSocket. */
export interface Dialogue {
  /** The first message, said as soon as the socket is open; undefined to let the server begin. */
  readonly opening: string | undefined;
  /** Called for each message of the server that is not known by its bytes. A throw fails the run. */
  hear(text: string): Heard;
}

/** The conversation of a subscriber. */
export interface Subscribing extends Dialogue {
  /**
   * What stands in its deliveries and in no one else's: the operation id of its only room.
   * Of one length for all; empty when there is none, or more than one room.
   */
  readonly mark: string;
}

/** The conversation of the publisher. */
export interface Publishing extends Dialogue {
  /** The message that publishes the content. Each one must be answered, sooner or later, with `published`. */
  send(room: string, content: string): string;
}

/** A subscriber's side of a stream over HTTP/1.1. It is ready when the answer's head has come. */
export interface Streaming {
  /** The whole request, its last empty line included. */
  readonly request: string;
  /** As in `Subscribing`. */
  readonly mark: string;
  /** Called for each event that is not known by its bytes, with its lines. A throw fails the run. */
  hear(event: string): Heard;
}

/** What a message of the server was, and what it wants said in return. */
export type Heard =
  & { readonly reply?: readonly string[] }
  & (
    | { readonly kind: "nothing" }
    /** The server has let this connection in. */
    | { readonly kind: "ready" }
    | { readonly kind: "delivery"; readonly content: string; readonly room?: string }
    /** One publish was accepted. */
    | { readonly kind: "published" }
  );
