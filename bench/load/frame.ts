import type { Buffer } from "node:buffer";

/** One message of a server: it stands in `bytes[start]` up to, not including, `bytes[end]`. Valid until the next one. */
export interface Frame {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
  /** Bytes of it on the wire, its framing included. */
  readonly wireBytes: number;
  /** Whether these bytes are not the text itself, but compressed. */
  readonly isDeflated: boolean;
  /** The text it carries. */
  toText(): string;
}

/** Who hears what a connection brings. */
export interface Listener {
  /** Called for each message, in order. A throw ends the connection. */
  onMessage(message: Frame): void;
  /** Called once when the connection ends without having been asked to, or when `onMessage` threw. */
  onFailure(error: Error): void;
}

/** A connection that brings messages: a WebSocket, or a stream of events. */
export interface Line {
  /** How often something was read from its socket. */
  readonly reads: number;
  /** Bytes read from it: all of them, as they were on the wire. */
  readonly readBytes: number;
  /** Messages that came compressed. */
  readonly deflated: number;
  /** Begins to read. Call it once. */
  listen(listener: Listener): void;
  /** Sends a message; only a WebSocket can. */
  send(text: string): void;
  /** Ends the connection without a word. Safe to call twice. */
  close(): void;
}
