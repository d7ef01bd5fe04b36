import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Server } from "graphql-ws";
import { handleProtocols } from "graphql-ws";
import { ulid } from "@std/ulid";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticator } from "../core/auth.ts";
import type { Clock } from "../core/clock.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import { Deflater } from "./deflater.ts";
import type { FlushQueue } from "./flush_queue.ts";
import { FrameBatch } from "./frame_batch.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { readGuest } from "./identify.ts";
import { dropSmallWindows, PERMESSAGE_DEFLATE } from "./permessage_deflate.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import { SocketConnection } from "./socket_connection.ts";

/** What the WebSocket transport needs. */
export interface WebSocketTransportDeps {
  readonly protocol: Server<SocketConnection>;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Bytes of one inbound message; and of the first one, the connection_init. */
  readonly frameBytes: number;
  readonly initBytes: number;
  readonly outboxBytes: number;
  /** Whether clients may agree to permessage-deflate. */
  readonly compression: boolean;
  /** Connections of all transports that are open, and that may be. */
  readonly openConnections: () => number;
  readonly maxConnections: number;
  readonly flushes: FlushQueue;
  readonly heartbeat: Heartbeat;
  readonly keeper: ReceiptKeeper;
  /** Called once when a connection that was acknowledged has ended. */
  readonly onClosed: (connection: SocketConnection) => void;
}

/** Upgrades above the cap are still accepted, to be told 1013; beyond so many more they are refused. */
const FLOOD_MARGIN = 512;

/** GraphQL over WebSocket: npm ws for the framing, graphql-ws for the protocol. */
export class WebSocketTransport {
  readonly #deps: WebSocketTransportDeps;
  readonly #connections = new Set<SocketConnection>();
  /** The Set-Cookie header that goes out with the answer to an upgrade. */
  readonly #cookies = new WeakMap<IncomingMessage, string>();
  readonly #server: WebSocketServer;
  readonly #batch = new FrameBatch();
  readonly #deflater: Deflater | undefined;
  #ending: { readonly code: number; readonly reason: string } | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(deps: WebSocketTransportDeps) {
    this.#deps = deps;
    this.#deflater = deps.compression ? new Deflater(deps.flushes) : undefined;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: deps.compression && PERMESSAGE_DEFLATE,
      maxPayload: deps.frameBytes,
      // None in common: the handshake goes on without one, and makeServer closes with 4406.
      handleProtocols: (protocols) => handleProtocols(protocols),
    });
    this.#server.on("headers", (headers, request) => {
      const cookie = this.#cookies.get(request);
      if (cookie !== undefined) headers.push(`Set-Cookie: ${cookie}`);
    });
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes over a request that has been let in and asks to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    if (request.headers["sec-websocket-version"] !== "13") {
      return refuseUpgrade(socket, 426, "Upgrade Required", ["Sec-WebSocket-Version: 13"]);
    }
    if (this.#deps.openConnections() >= this.#deps.maxConnections + FLOOD_MARGIN) {
      return refuseUpgrade(socket, 503, "Service Unavailable");
    }
    if (this.#deps.compression) dropSmallWindows(request);
    const guest = readGuest(request, this.#deps.authenticator);
    if (guest.setCookie !== undefined) this.#cookies.set(request, guest.setCookie);
    this.#server.handleUpgrade(
      request,
      socket,
      head as Parameters<WebSocketServer["handleUpgrade"]>[2],
      (webSocket) => {
        const connection = new SocketConnection({
          id: ulid(),
          webSocket,
          socket,
          request,
          guest,
          clock: this.#deps.clock,
          flushes: this.#deps.flushes,
          batch: this.#batch,
          deflater: webSocket.extensions === "" ? undefined : this.#deflater,
          outboxBytes: this.#deps.outboxBytes,
          keeper: this.#deps.keeper,
        });
        this.#open(connection, webSocket);
      },
    );
  }

  /** Closes every connection, and each one that still comes. Resolves when none is left. */
  close(code: number, reason: string): Promise<void> {
    this.#ending = { code, reason };
    for (const connection of this.#connections) connection.end(code, reason);
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
  }

  #open(connection: SocketConnection, webSocket: WebSocket): void {
    const { protocol, clock, telemetry, heartbeat, openConnections, maxConnections } = this.#deps;
    const openedAt = clock.now();
    this.#connections.add(connection);
    const stopPulse = heartbeat.add(connection);
    let failure: string | undefined;

    // ws tells of a broken frame here and then closes; without a listener it would end the process.
    webSocket.on("error", (error) => failure = error.message);
    webSocket.once("close", (code, reason) => {
      stopPulse();
      this.#connections.delete(connection);
      const { caller } = connection;
      connection.release();
      telemetry.record("info", "connection.closed", {
        connectionId: connection.id,
        userId: caller?.principal.userId,
        code: connection.ending?.code ?? code,
        reason: connection.ending?.reason ?? failure ?? (String(reason) || undefined),
        cause: connection.endReason,
        durationMs: clock.now() - openedAt,
      });
      if (caller !== undefined) this.#deps.onClosed(connection);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });

    if (this.#ending !== undefined) return connection.end(this.#ending.code, this.#ending.reason);
    if (openConnections() > maxConnections) {
      return connection.end(CLOSE_CODES.tryAgainLater, "too many connections");
    }
    webSocket.on("pong", () => connection.silentPings = 0);
    const closed = protocol.opened({
      protocol: webSocket.protocol,
      send: (text) => connection.outbox.sendText(text),
      close: (code = 1000, reason = "") => connection.end(code, reason),
      onMessage: (receive) => this.#listen(connection, webSocket, receive),
    }, connection);
    webSocket.once("close", (code, reason) => {
      closed(code, String(reason)).catch((error: unknown) => this.#report(connection, error));
    });
  }

  #listen(connection: SocketConnection, webSocket: WebSocket, receive: (text: string) => Promise<void>): void {
    webSocket.on("message", (data, isBinary) => {
      connection.silentPings = 0;
      // The default binaryType: every message comes as one Buffer.
      const bytes = data as Uint8Array;
      if (isBinary) return connection.end(CLOSE_CODES.badRequest, "Invalid message received: must be text");
      if (connection.caller === undefined && bytes.length > this.#deps.initBytes) {
        const reason = `Message before the acknowledgement larger than ${this.#deps.initBytes} bytes`;
        return connection.end(CLOSE_CODES.messageTooBig, reason);
      }
      receive(String(data)).catch((error: unknown) => {
        this.#report(connection, error);
        connection.end(CLOSE_CODES.internalServerError, "Internal server error");
      });
    });
  }

  #report(connection: SocketConnection, error: unknown): void {
    this.#deps.telemetry.record("error", "connection.failed", {
      connectionId: connection.id,
      error: describeError(error),
    });
  }
}

/** Answers an upgrade with anything but 101, and ends the TCP connection. */
export function refuseUpgrade(socket: Duplex, status: number, text: string, headers: readonly string[] = []): void {
  const lines = [`HTTP/1.1 ${status} ${text}`, "Connection: close", "Content-Length: 0", ...headers];
  socket.on("error", () => {
    // The refused peer may be gone already: nothing is owed to it.
  });
  // A half-closed socket costs a file descriptor for as long as its peer likes.
  socket.once("finish", () => socket.destroy());
  socket.end(lines.join("\r\n") + "\r\n\r\n");
}
