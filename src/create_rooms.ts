import { ulid } from "@std/ulid";
import { createJwtAuthenticator, type KeySource } from "./auth/jwt.ts";
import { createOpenAuthenticator } from "./auth/open.ts";
import { authorizeByScope } from "./auth/policy.ts";
import { type Principal, SCOPES } from "./core/auth.ts";
import { type Caller, SERVER_USER_ID } from "./core/caller.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import type { Engine } from "./core/engine.ts";
import { Expiries } from "./core/expiries.ts";
import { Hub } from "./core/hub.ts";
import { isLoopbackHost } from "./core/loopback.ts";
import { Leases } from "./core/leases.ts";
import { MemberStates } from "./core/member_states.ts";
import { Memberships } from "./core/memberships.ts";
import { MessageRates, rateOf } from "./core/message_rates.ts";
import type { MessageView } from "./core/messages.ts";
import type { NodeStatus } from "./core/node_status.ts";
import { GuardedAuthenticator } from "./core/guarded_authenticator.ts";
import { RefusedTokens } from "./core/refused_tokens.ts";
import { Rooms } from "./core/rooms.ts";
import { Sessions } from "./core/sessions.ts";
import { describeError, silentTelemetry, type Telemetry } from "./core/telemetry.ts";
import { MemoryLimiter } from "./limits/memory_limiter.ts";
import { createMemoryCore, createMemoryEngine } from "./engines/memory.ts";
import { DocumentRates } from "./graphql/document_rates.ts";
import { Documents } from "./graphql/documents.ts";
import { createErrorMask } from "./graphql/errors.ts";
import { LiveSelections } from "./graphql/live_selections.ts";
import { Operations } from "./graphql/operations.ts";
import { createSchema } from "./graphql/schema.ts";
import type { Rate } from "./core/rate_limiter.ts";
import {
  type ConnectionInfo,
  JWT_DEFAULTS,
  type JwtOptions,
  resolveOptions,
  type RoomsOptions,
  type Settings,
} from "./options.ts";
import { Access } from "./transports/access.ts";
import { AddressCounts } from "./transports/address_counts.ts";
import { ClientAddresses } from "./transports/client_address.ts";
import { DocumentTurns } from "./transports/document_turns.ts";
import { FlushQueue } from "./transports/flush_queue.ts";
import { createGraphqlHttp } from "./transports/graphql_http.ts";
import { GraphqlStreams } from "./transports/graphql_stream.ts";
import { Heartbeat } from "./transports/heartbeat.ts";
import { HttpServer } from "./transports/http_server.ts";
import { GRAPHQL_PATH } from "./transports/paths.ts";
import { LimitNotices, NOTICE_EVERY } from "./transports/limit_notices.ts";
import { createPages } from "./transports/pages.ts";
import { ReceiptKeeper } from "./transports/receipt_keeper.ts";
import type { SocketConnection } from "./transports/socket_connection.ts";
import { createSocketProtocol } from "./transports/socket_protocol.ts";
import { WebSocketTransport } from "./transports/websocket.ts";
import { VERSION } from "./version.ts";

/** Where a server listens. */
export interface Listening {
  /** The URL of the API over HTTP; over WebSocket it is the same with `ws:`. */
  readonly url: string;
  readonly port: number;
}

/** A rooms server in this process. */
export interface RoomsServer {
  readonly nodeId: string;
  /**
   * Opens everything and listens. Called once.
   *
   * @throws the error of `node:net` when it cannot listen; then nothing is left open
   */
  listen(): Promise<Listening>;
  /** Says goodbye to every client and closes everything. Calling it twice is safe. */
  stop(): Promise<void>;
  /**
   * Says that this server should get no new clients, and why: from now on `/ready` answers
   * 503 with the last reason. Everything goes on, `/health` too; only a restart undoes it.
   */
  degrade(reason: string): void;
  /** Sends an application's event to a room, as the server itself. */
  broadcastToRoom(room: string, event: string, data?: unknown): Promise<MessageView>;
  /** Sends an application's event to everyone, as the server itself. */
  broadcastToAll(event: string, data?: unknown): Promise<MessageView>;
  /**
   * Says that rights may have changed, a user's or everybody's: `auth.authorize` is asked
   * anew for every live subscription and every membership this node holds.
   *
   * A subscription that may not go on ends with `FORBIDDEN`, a membership with `REMOVED`;
   * connections live on. When `authorize` answers at once, nothing is delivered any more
   * from the call on, else from when the promise resolves. It never rejects.
   */
  reauthorize(userId?: string): Promise<void>;
}

/** How long a session without a connection can still be continued, in milliseconds. */
const SESSION_LINGER_MS = 10_000;
/** HTTP requests that one address may make for each mutation that one user may make. */
const REQUESTS_BY = 40;

/**
 * Builds a rooms server of its parts; nothing is opened before `listen`.
 *
 * Its time is that of `clock`, but for the timers of `node:http`, and its API is `schema`.
 *
 * @throws {TypeError | RangeError} when an option has a value it cannot have
 */
export function createRooms(
  options: RoomsOptions = {},
  clock: Clock = systemClock,
  schema: ReturnType<typeof createSchema> = createSchema(),
): RoomsServer {
  const settings = resolveOptions(options);
  const telemetry = options.telemetry ?? silentTelemetry;
  const nodeId = settings.nodeId ?? ulid();
  const startedAtMs = clock.now();
  const { server, limits, auth } = settings;

  const engine: Engine = createMemoryEngine({
    core: createMemoryCore({ clock, telemetry, history: settings.history }),
    nodeId,
  });
  const tokens = createAuthenticator(settings, { clock, telemetry });
  const expiries = new Expiries(clock, tokens.leewayMs);
  const hub = new Hub({ log: engine.log, clock, telemetry });
  const maxRoomsPerSession = limits.roomsPerSession;
  const states = new MemberStates({ presence: engine.presence, telemetry, maxRoomsPerSession });
  const memberships = new Memberships({
    presence: engine.presence,
    clock,
    telemetry,
    leaveGraceMs: settings.presence.leaveGraceMs,
    maxRoomsPerSession,
    onReleased: (session, room) => states.left(session, room),
  });
  const leases = new Leases({ presence: engine.presence, memberships, maxRooms: maxRoomsPerSession });
  const sessions = new Sessions({
    clock,
    lingerMs: SESSION_LINGER_MS,
    listener: {
      disconnected: (session, reason) => memberships.disconnected(session, reason),
      ended(session) {
        states.ended(session);
        memberships.ended(session);
      },
    },
  });
  const createLimiter = (rate: Rate) => new MemoryLimiter(clock, rate);
  const { messagesPerSecond: perSecond, refusedTokensPerMinute, connectionsPerAddress } = limits;
  const rates = perSecond === 0 ? undefined : new MessageRates({ createLimiter, clock, perSecond });
  const joinRates = perSecond === 0 ? undefined : new MessageRates({ createLimiter, clock, perSecond });
  const requests = perSecond === 0 ? undefined : createLimiter(rateOf(perSecond * REQUESTS_BY));
  const refusedTokens = new RefusedTokens(
    refusedTokensPerMinute === 0 ? undefined : createLimiter({ count: refusedTokensPerMinute, windowMs: 60_000 }),
  );
  const authenticator = new GuardedAuthenticator(tokens, refusedTokens);
  const rooms: Rooms = new Rooms({
    engine,
    hub,
    memberships,
    states,
    leases,
    sessions,
    authenticator,
    authorize: auth.authorize ?? authorizeByScope,
    telemetry,
    maxMessageBytes: limits.messageBytes,
    rates,
    joinRates,
    nodeStatus: (): NodeStatus => ({
      nodeId,
      version: VERSION,
      engineName: engine.name,
      startedAtMs,
      connections: shared.openConnections(),
      subscriptions: live.members,
      rooms: hub.openFeeds,
    }),
  });

  const mask = createErrorMask(telemetry);
  const introspection = server.introspection ?? !authenticator.needsToken;
  const documents = new Documents(schema, { limits, introspection });
  const live = new LiveSelections({ hub, rooms, mask, clock });
  const documentRates = perSecond === 0 ? undefined : new DocumentRates(createLimiter);
  const operations = new Operations({ schema, documents, documentRates, live, mask, maxNodes: limits.answerNodes });
  const turns = new DocumentTurns((text) => operations.knows(text));

  const tokenCookie = auth.jwt?.cookie ?? JWT_DEFAULTS.cookie;
  const hooks = connectionHooks(options, telemetry);
  const flushes = new FlushQueue();
  const heartbeat = new Heartbeat(clock, server.pingMs);
  const receipts = new ReceiptKeeper({ receipts: engine.receipts, clock, telemetry });
  const shared = {
    clock,
    telemetry,
    flushes,
    heartbeat,
    outboxBytes: limits.outboxBytes,
    openConnections: (): number => webSockets.size + streams.size,
    maxConnections: limits.connections,
    networkConnections: new AddressCounts(connectionsPerAddress),
    addresses: new ClientAddresses(server.trustedProxies),
    notices: new LimitNotices(telemetry, createLimiter(NOTICE_EVERY)),
  };
  const webSockets: WebSocketTransport = new WebSocketTransport({
    protocol: createSocketProtocol({
      authenticator,
      tokenCookie,
      sessions,
      expiries,
      rooms,
      operations,
      turns,
      mask,
      keeper: receipts,
      limits,
      onAcknowledged: hooks.connected,
    }),
    ...shared,
    keeper: receipts,
    authenticator,
    tokenCookie,
    frameBytes: limits.frameBytes,
    initBytes: limits.initBytes,
    compression: server.compression,
    maxConnectionsPerNetwork: connectionsPerAddress,
    messagesPerSecond: perSecond,
    initTimeoutMs: limits.initTimeoutMs,
    onClosed: hooks.disconnected,
  });
  const streams: GraphqlStreams = new GraphqlStreams({ ...shared, operations, rooms, sessions, expiries, mask });
  const http = new HttpServer({
    access: new Access({
      openOnLoopback: !auth.anonymous && auth.jwt === undefined,
      allowedOrigins: server.allowedOrigins,
    }),
    graphql: createGraphqlHttp({
      schema,
      operations,
      turns,
      streams,
      rooms,
      telemetry,
      mask,
      authenticator,
      tokenCookie,
      sessions,
      addresses: shared.addresses,
      maxBodyBytes: limits.frameBytes,
      outboxBytes: limits.outboxBytes,
    }),
    webSockets,
    pages: server.pages ? createPages(telemetry, { needsToken: authenticator.needsToken, introspection }) : undefined,
    streams,
    clock,
    telemetry,
    host: server.host,
    port: server.port,
    drainMs: server.drainMs,
    maxConnections: limits.connections,
    maxConnectionsPerNetwork: connectionsPerAddress,
    addresses: shared.addresses,
    notices: shared.notices,
    requests,
  });

  const closeCore = async (): Promise<void> => {
    heartbeat.close();
    receipts.close();
    for (const counted of [rates, joinRates, documentRates, requests, refusedTokens]) counted?.close();
    live.close();
    hub.close();
    memberships.close();
    sessions.close();
    expiries.close();
    await engine.close();
  };
  let stopped: Promise<void> | undefined;

  return {
    nodeId,
    async listen() {
      await tokens.open();
      await engine.open();
      try {
        await hub.open();
        heartbeat.open();
        receipts.open();
        const port = await http.listen();
        const host = server.host.includes(":") ? `[${server.host}]` : server.host;
        return { port, url: `http://${host}:${port}${GRAPHQL_PATH}` };
      } catch (error) {
        await closeCore();
        throw error;
      }
    },
    stop: () => stopped ??= rooms.drain().then(() => http.stop()).then(closeCore),
    degrade: (reason) => http.degrade(reason),
    broadcastToRoom: (room, event, data) => broadcast(room, event, data),
    broadcastToAll: (event, data) => broadcast(null, event, data),
    reauthorize: (userId) => rooms.reauthorize({ userId }),
  };

  async function broadcast(room: string | null, event: string, data: unknown): Promise<MessageView> {
    const { view } = await rooms.announce(serverCaller(nodeId), {
      room,
      event,
      content: "",
      data: data ?? null,
      excludeSelf: false,
      idempotencyKey: null,
    });
    return view;
  }
}

function createAuthenticator(
  { auth, server }: Settings,
  deps: { readonly clock: Clock; readonly telemetry: Telemetry },
) {
  if (auth.jwt === undefined) return createOpenAuthenticator({ scopes: openScopes({ auth, server }) });
  const { issuer, audience, leewayMs } = auth.jwt;
  return createJwtAuthenticator({ ...deps, keys: keySource(auth.jwt), issuer, audience, leewayMs });
}

/** One of the three is there: it was checked. */
function keySource({ secret, publicKeys, jwksUrl }: JwtOptions): KeySource {
  if (jwksUrl !== undefined) return { kind: "url", url: jwksUrl };
  return secret === undefined ? { kind: "publicKeys", text: publicKeys! } : { kind: "secret", text: secret };
}

function openScopes({ auth, server }: Pick<Settings, "auth" | "server">) {
  return isLoopbackHost(server.host) && !auth.anonymous ? SCOPES : auth.anonymousScopes;
}

/** The program itself, which may do everything. */
function serverCaller(nodeId: string): Caller {
  const principal: Principal = { userId: SERVER_USER_ID, scopes: new Set(SCOPES), expiresAtMs: null };
  return { principal, sessionId: nodeId, namesSession: false, session: undefined };
}

function connectionHooks({ onConnect, onDisconnect }: RoomsOptions, telemetry: Telemetry) {
  const report = (error: unknown): void => {
    telemetry.record("error", "hook.failed", { error: describeError(error) });
  };
  const call = (hook: ((info: ConnectionInfo) => unknown) | undefined, connection: SocketConnection): void => {
    const { caller } = connection;
    if (hook === undefined || caller === undefined) return;
    try {
      const done = hook({ connectionId: connection.id, userId: caller.principal.userId, sessionId: caller.sessionId });
      // A type that says void takes an async function too.
      if (done instanceof Promise) done.catch(report);
    } catch (error) {
      report(error);
    }
  };
  return {
    connected(connection: SocketConnection) {
      // The name and the address are kept with the connection once they have been asked for.
      if (telemetry.keeps?.("info") !== false) {
        telemetry.record("info", "connection.opened", {
          connectionId: connection.id,
          userId: connection.caller?.principal.userId,
          sessionId: connection.caller?.sessionId,
          remoteAddress: connection.arrival?.address,
        });
      }
      call(onConnect, connection);
    },
    disconnected: (connection: SocketConnection) => call(onDisconnect, connection),
  };
}
