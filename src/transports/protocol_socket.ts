import type { WebSocket } from "graphql-ws";
import type { SocketConnection } from "./socket_connection.ts";

/** A connection as graphql-ws's makeServer sees it. */
export class ProtocolSocket implements WebSocket {
  readonly protocol: string;
  readonly #connection: SocketConnection;

  constructor(connection: SocketConnection, protocol: string) {
    this.#connection = connection;
    this.protocol = protocol;
  }

  send(text: string): void {
    this.#connection.outbox.sendText(text);
  }

  close(code = 1000, reason = ""): void {
    this.#connection.end(code, reason);
  }

  onMessage(receive: (text: string) => Promise<void>): void {
    // makeServer parses text alone: what has been parsed it only validates.
    this.#connection.listen((message) => receive(message as string));
  }
}
