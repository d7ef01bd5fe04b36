import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "graphql-ws";
import type { Authenticator } from "../../src/core/auth.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { Rooms } from "../../src/core/rooms.ts";
import { Expiries } from "../../src/core/expiries.ts";
import { GuardedAuthenticator } from "../../src/core/guarded_authenticator.ts";
import { RefusedTokens } from "../../src/core/refused_tokens.ts";
import { MemoryLimiter } from "../../src/limits/memory_limiter.ts";
import { AddressCounts } from "../../src/transports/address_counts.ts";
import { ClientAddresses } from "../../src/transports/client_address.ts";
import { LimitNotices, NOTICE_EVERY } from "../../src/transports/limit_notices.ts";
import { Sessions } from "../../src/core/sessions.ts";
import { createMemoryCore, createMemoryEngine } from "../../src/engines/memory.ts";
import { createErrorMask } from "../../src/graphql/errors.ts";
import type { Operations } from "../../src/graphql/operations.ts";
import { DEFAULTS } from "../../src/options.ts";
import { FlushQueue } from "../../src/transports/flush_queue.ts";
import { Heartbeat } from "../../src/transports/heartbeat.ts";
import { ReceiptKeeper } from "../../src/transports/receipt_keeper.ts";
import type { SocketConnection } from "../../src/transports/socket_connection.ts";
import { DocumentTurns } from "../../src/transports/document_turns.ts";
import { createSocketProtocol } from "../../src/transports/socket_protocol.ts";
import { WebSocketTransport } from "../../src/transports/websocket.ts";
import { RecordingTelemetry } from "./recording_telemetry.ts";

/** What a test chooses. */
export interface ProtocolWorldOptions {
  readonly authenticate?: Authenticator["authenticate"];
  /** Speaks in place of graphql-transport-ws. */
  readonly protocol?: Server<SocketConnection>;
  readonly clock?: Clock;
}

/** The WebSocket transport on a free port, with nothing behind it that could run operations. */
export async function openProtocolWorld({ authenticate, protocol, clock = systemClock }: ProtocolWorldOptions) {
  const telemetry = new RecordingTelemetry();
  const engine = createMemoryEngine({
    core: createMemoryCore({ clock, telemetry, history: DEFAULTS.history }),
    nodeId: "one",
  });
  await engine.open();
  const sessions = new Sessions({ clock, lingerMs: 10_000, listener: { disconnected() {}, ended() {} } });
  const keeper = new ReceiptKeeper({ receipts: engine.receipts, clock, telemetry });
  const judge: Authenticator = {
    usesGuestCookie: false,
    needsToken: false,
    leewayMs: 0,
    open: () => Promise.resolve(),
    wasGood: () => false,
    authenticate: authenticate ?? (() => Promise.resolve({ userId: "ann", scopes: new Set(), expiresAtMs: null })),
  };
  const authenticator = new GuardedAuthenticator(judge, new RefusedTokens(undefined));
  const { limits } = DEFAULTS;
  const acknowledged: SocketConnection[] = [];
  const transport: WebSocketTransport = new WebSocketTransport({
    protocol: protocol ?? createSocketProtocol({
      authenticator,
      tokenCookie: "token",
      expiries: new Expiries(clock),
      sessions,
      rooms: {} as Rooms,
      operations: {} as Operations,
      turns: new DocumentTurns(() => true),
      mask: createErrorMask(telemetry),
      keeper,
      limits,
      onAcknowledged: (connection) => acknowledged.push(connection),
    }),
    authenticator,
    tokenCookie: "token",
    networkConnections: new AddressCounts(0),
    maxConnectionsPerNetwork: 0,
    addresses: new ClientAddresses([]),
    notices: new LimitNotices(telemetry, new MemoryLimiter(clock, NOTICE_EVERY)),
    clock,
    telemetry,
    ...limits,
    compression: false,
    openConnections: () => transport.size,
    maxConnections: limits.connections,
    flushes: new FlushQueue(),
    heartbeat: new Heartbeat(clock, DEFAULTS.server.pingMs),
    keeper,
    onClosed() {},
  });
  const server = http.createServer();
  server.on("upgrade", (request, socket, head) => transport.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    telemetry,
    acknowledged,
    /** Open connections. */
    size: () => transport.size,
    async [Symbol.asyncDispose](): Promise<void> {
      await transport.close(1001, "over");
      await new Promise((resolve) => server.close(resolve));
      sessions.close();
      keeper.close();
      await engine.close();
    },
  };
}
