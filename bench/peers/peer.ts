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
  /** Installs what is missing; returns versions, for the machine line. */
  prepare(): Promise<string>;
  /** Starts the server as its own process; resolves when it accepts connections. */
  start(): Promise<ServerProcess>;
  /** A new conversation that receives the room's messages. */
  subscribe(room: string): Subscribing;
  /** A new conversation that publishes to the room. */
  publish(room: string): Publishing;
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
  /** What stands in its deliveries and in no one else's: the operation id. Of one length for all; may be empty. */
  readonly mark: string;
}

/** The conversation of the publisher. */
export interface Publishing extends Dialogue {
  /** The message that publishes the content. Each one must be answered, sooner or later, with `published`. */
  send(content: string): string;
}

/** What a message of the server was, and what it wants said in return. */
export type Heard =
  & { readonly reply?: string }
  & (
    | { readonly kind: "nothing" }
    /** The server has let this connection in. */
    | { readonly kind: "ready" }
    | { readonly kind: "delivery"; readonly content: string }
    /** One publish was accepted. */
    | { readonly kind: "published" }
  );
