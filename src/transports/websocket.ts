import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Server } from "graphql-ws";
import { handleProtocols } from "graphql-ws";
import { type Server as WsServer, WebSocketServer } from "ws";
import type { GuardedAuthenticator } from "../core/guarded_authenticator.ts";
import type { Clock } from "../core/clock.ts";
import type { Telemetry } from "../core/telemetry.ts";
import { PHASES } from "../graphql/tellings.ts";
import { AddressCounts } from "./address_counts.ts";
import { type ClientAddresses, networkOf } from "./client_address.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import { Deflater } from "./deflater.ts";
import type { FlushQueue } from "./flush_queue.ts";
import { FrameBatch } from "./frame_batch.ts";
import { CLOSE_GRACE_MS, type SocketEnd } from "./goodbye.ts";
import { HeardSocket } from "./heard_socket.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { isUnproven, readGuest } from "./identify.ts";
import { dropSmallWindows, PERMESSAGE_DEFLATE } from "./permessage_deflate.ts";
import type { LimitNotices } from "./limit_notices.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import { readToken } from "./token_carriers.ts";
import { SocketConnection, type SocketConnectionDeps } from "./socket_connection.ts";

/** What the WebSocket transport needs. */
export interface WebSocketTransportDeps {
  readonly protocol: Server<SocketConnection>;
  readonly authenticator: GuardedAuthenticator;
  /** The cookie that may hold a token. */
  readonly tokenCookie: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Bytes of one inbound message; and of the first one, the connection_init. */
  readonly frameBytes: number;
  readonly initBytes: number;
  /** How long a connection may stay without it, in milliseconds. */
  readonly initTimeoutMs: number;
  readonly outboxBytes: number;
  /** Whether clients may agree to permessage-deflate. */
  readonly compression: boolean;
  /** Connections of all transports that are open, and that may be. */
  readonly openConnections: () => number;
  readonly maxConnections: number;
  /** Connections of all transports by network, and how many of them one network may have. */
  readonly networkConnections: AddressCounts;
  readonly maxConnectionsPerNetwork: number;
  readonly addresses: ClientAddresses;
  readonly notices: LimitNotices;
  readonly messagesPerSecond: number;
  readonly flushes: FlushQueue;
  readonly heartbeat: Heartbeat;
  readonly keeper: ReceiptKeeper;
  /** Called once when a connection that was acknowledged has ended. */
  readonly onClosed: (connection: SocketConnection) => void;
}

/**
 * How ws reads frames.
 *
 * Fragments and chunks are views of what the network brought, each of which may keep 64
 * KiB: their number is bounded beside their bytes. Either bound closes with 1008.
 */
const RECEIVING = {
  maxFragments: 256,
  /** Chunks of one frame; a network that brings single bytes takes one for each. */
  maxBufferedChunks: 8_192,
  /** How long a peer that broke a rule, or said goodbye itself, may leave its TCP connection open. */
  closeTimeout: CLOSE_GRACE_MS,
};

/** Upgrades above the cap are still accepted, to be told 1013; beyond so many more they are refused. */
const FLOOD_MARGIN = 512;
/** Of the connections of one network so many may be without a connection_init: they hold for three seconds what others wait for. */
const UNINITIATED_SHARE = 1 / 4;

/** GraphQL over WebSocket: npm ws for the framing, graphql-ws for the protocol. */
export class WebSocketTransport {
  readonly #deps: WebSocketTransportDeps;
  readonly #connections = new Set<SocketConnection>();
  /** The Set-Cookie header that goes out with the answer to an upgrade. */
  readonly #cookies = new WeakMap<IncomingMessage, string>();
  readonly #server: WsServer<typeof HeardSocket>;
  readonly #connectionDeps: SocketConnectionDeps;
  readonly #uninitiated: AddressCounts;
  #accepted = 0;
  #ending: { readonly code: number; readonly reason: string } | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(deps: WebSocketTransportDeps) {
    this.#deps = deps;
    this.#uninitiated = new AddressCounts(Math.ceil(deps.maxConnectionsPerNetwork * UNINITIATED_SHARE));
    this.#connectionDeps = {
      ...deps,
      onInitiated: ({ network }) => this.#uninitiated.remove(network),
      batch: new FrameBatch(),
      deflater: deps.compression ? new Deflater(deps.flushes) : undefined,
      onClosed: (connection, end) => this.#closed(connection, end),
    };
    this.#server = new WebSocketServer({
      noServer: true,
      WebSocket: HeardSocket,
      clientTracking: false,
      perMessageDeflate: deps.compression && PERMESSAGE_DEFLATE,
      maxPayload: deps.frameBytes,
      ...RECEIVING,
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
    const address = this.#deps.addresses.of(request);
    const network = networkOf(address);
    if (this.#deps.networkConnections.isFlooded(network)) return refuseUpgrade(socket, 503, "Service Unavailable");
    if (this.#deps.compression) dropSmallWindows(request);
    const { authenticator, tokenCookie } = this.#deps;
    if (authenticator.needsToken && isUnproven(request, readToken(request, tokenCookie))) {
      return refuseUpgrade(socket, 403, "Forbidden");
    }
    const guest = readGuest(request, authenticator);
    if (guest.setCookie !== undefined) this.#cookies.set(request, guest.setCookie);
    this.#server.handleUpgrade(
      request,
      socket,
      head as Parameters<WebSocketServer["handleUpgrade"]>[2],
      (webSocket) => {
        const { socket } = request;
        const arrival = { request, guest, address };
        const upgraded = { webSocket, socket, arrival, network, phase: this.#accepted++ % PHASES };
        this.#open(new SocketConnection(upgraded, this.#connectionDeps));
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

  #open(connection: SocketConnection): void {
    const { protocol, heartbeat, openConnections, maxConnections, networkConnections, notices } = this.#deps;
    const { network } = connection;
    this.#connections.add(connection);
    networkConnections.add(network);
    this.#uninitiated.add(network);
    heartbeat.add(connection);
    connection.webSocket.tell(connection);
    if (this.#ending !== undefined) return connection.end(this.#ending.code, this.#ending.reason);
    if (openConnections() > maxConnections) {
      return connection.end(CLOSE_CODES.tryAgainLater, "too many connections");
    }
    if (networkConnections.isOver(network) || this.#uninitiated.isOver(network)) {
      notices.note("connections", network);
      return connection.end(CLOSE_CODES.tryAgainLater, "too many connections from this address");
    }
    connection.open(protocol);
  }

  #closed(connection: SocketConnection, { code, reason }: SocketEnd): void {
    const { heartbeat, clock, telemetry, networkConnections, onClosed } = this.#deps;
    const { caller, openedAtMs } = connection;
    heartbeat.remove(connection);
    networkConnections.remove(connection.network);
    this.#connections.delete(connection);
    if (telemetry.keeps?.("info") !== false) {
      telemetry.record("info", "connection.closed", {
        connectionId: connection.id,
        userId: caller?.principal.userId,
        code,
        reason: reason || undefined,
        cause: connection.endReason,
        durationMs: clock.now() - openedAtMs,
      });
    }
    if (caller !== undefined) onClosed(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** Answers an upgrade with anything but 101, and ends the TCP connection. */
export function refuseUpgrade(socket: Duplex, status: number, text: string, headers: readonly string[] = []): void {
  const lines = [`HTTP/1.1 ${status} ${text}`, "Connection: close", "Content-Length: 0", "Vary: Origin", ...headers];
  socket.on("error", () => {
    // The refused peer may be gone already: nothing is owed to it.
  });
  // A half-closed socket costs a file descriptor for as long as its peer likes.
  socket.once("finish", () => socket.destroy());
  socket.end(lines.join("\r\n") + "\r\n\r\n");
}
