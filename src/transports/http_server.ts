import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.ts";
import { RealtimeError } from "../core/errors.ts";
import type { LocalRateLimiter } from "../core/rate_limiter.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import type { Access } from "./access.ts";
import { AddressCounts } from "./address_counts.ts";
import { type ClientAddresses, networkOf } from "./client_address.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import type { HttpHandler } from "./graphql_http.ts";
import type { GraphqlStreams } from "./graphql_stream.ts";
import { answerError, answerJson } from "./http_error.ts";
import type { LimitNotices } from "./limit_notices.ts";
import { answerHealth, answerReady, type NotReady } from "./ops.ts";
import type { Pages } from "./pages.ts";
import { GRAPHQL_PATH, HEALTH_PATH, pathOf, READY_PATH } from "./paths.ts";
import { refusalOf } from "./request_refusal.ts";
import { TcpConnections } from "./tcp_connections.ts";
import { refuseUpgrade, type WebSocketTransport } from "./websocket.ts";

/** What the server needs. */
export interface HttpServerDeps {
  readonly access: Access;
  readonly graphql: HttpHandler;
  readonly webSockets: WebSocketTransport;
  /** What a browser is shown; undefined: nothing. */
  readonly pages: Pages | undefined;
  readonly streams: GraphqlStreams;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly host: string;
  readonly port: number;
  /** How long a stop waits for clients before it cuts them off, in milliseconds. */
  readonly drainMs: number;
  /** WebSockets and streams that may be open, in all and from one network; the latter 0 for any number. */
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  readonly addresses: ClientAddresses;
  /** Counts requests by network. Undefined: nothing is counted. */
  readonly requests: LocalRateLimiter | undefined;
  readonly notices: LimitNotices;
}

/** What the HTTP parser is told; times in milliseconds. */
const SERVER_OPTIONS = {
  /** Time a client has for its request's headers, and for all of the request. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** How often the two are looked at. */
  connectionsCheckingInterval: 1_000,
  // Any other upgrade is to be passed over (RFC 9110 section 7.8): some clients offer h2c with every request.
  shouldUpgradeCallback: ({ headers, httpVersion }: IncomingMessage): boolean =>
    httpVersion === "1.1" && headers.upgrade?.toLowerCase() === "websocket",
};
/** What every answer says, unless it is a page or a stream and says otherwise. */
const COMMON_HEADERS = [
  // Also a refusal: from a cache it would refuse those who are let in.
  ["vary", "Origin"],
  // What one user is told is nobody else's, and no cache's.
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
  // A page that is let in asks by CORS, which this does not touch; tags of other pages get nothing.
  ["cross-origin-resource-policy", "same-origin"],
] as const;
/** TCP connections beyond those that may do something: to be told that there are too many. */
const CONNECTION_MARGIN = 768;
/** The same for one network, whose WebSockets and streams may be half of them. */
const NETWORK_MARGIN = 2;

/** One `node:http` server: judges who comes in, then hands each path to its owner. */
export class HttpServer {
  readonly #deps: HttpServerDeps;
  readonly #server: Server;
  readonly #connections: TcpConnections;
  #stopping: Promise<void> | undefined;
  #degraded: NotReady | undefined;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    this.#server = createServer(SERVER_OPTIONS, (request, response) => {
      this.#connections.serve(request, response, () => this.#answer(request, response));
    });
    this.#connections = new TcpConnections(this.#server, {
      clock: deps.clock,
      maxConnections: deps.maxConnections + CONNECTION_MARGIN,
      networks: new AddressCounts(deps.maxConnectionsPerNetwork * NETWORK_MARGIN),
      addresses: deps.addresses,
      notices: deps.notices,
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#connections.release(request.socket);
      if (socket.destroyed) return;
      const refusal = refusalOf(request, deps);
      if (refusal !== undefined) return refuseUpgrade(socket, refusal.status, STATUS_CODES[refusal.status]!);
      const waitMs = this.#waitMs(request);
      if (waitMs > 0) return refuseUpgrade(socket, 429, "Too Many Requests", [`Retry-After: ${secondsOf(waitMs)}`]);
      if (pathOf(request) !== GRAPHQL_PATH) return refuseUpgrade(socket, 404, "Not Found");
      deps.webSockets.upgrade(request, socket, head);
    });
  }

  /**
   * Listens; resolves with the port.
   *
   * @throws the error of `node:net` (`EADDRINUSE`, `EACCES`, …) when it cannot
   */
  async listen(): Promise<number> {
    const { host, port } = this.#deps;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host.replace(/^\[(.*)\]$/, "$1"), () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (error) => {
      this.#deps.telemetry.record("error", "server.failed", { error: describeError(error) });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Says for good that no new clients should be sent here, and why. */
  degrade(reason: string): void {
    this.#degraded = { status: "degraded", reason };
  }

  /** Says goodbye to everybody (1012), waits for them to go, cuts off who stays. Resolves when nobody is left. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    const { webSockets, streams, clock, drainMs } = this.#deps;
    const cancelCut = clock.after(drainMs, () => this.#connections.cutAll());
    streams.close();
    await webSockets.close(CLOSE_CODES.serviceRestart, "server is stopping");
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    this.#connections.cutSilent();
    await closed;
    cancelCut();
  }

  get #notReady(): NotReady | undefined {
    return this.#stopping === undefined ? this.#degraded : { status: "stopping" };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const { access, graphql, pages } = this.#deps;
    for (const [name, value] of COMMON_HEADERS) response.setHeader(name, value);
    // An upgrade that is passed over leaves the parser where it was: it reads no second request.
    if (this.#stopping !== undefined || request.headers.upgrade !== undefined) {
      response.setHeader("connection", "close");
    }
    const refusal = refusalOf(request, this.#deps);
    if (refusal !== undefined) {
      if (refusal.closes) response.setHeader("connection", "close");
      return answerError(response, refusal.error, refusal.status);
    }
    access.writeCorsHeaders(request, response);
    if (path === HEALTH_PATH || path === READY_PATH) {
      if (request.method !== "GET" && request.method !== "HEAD") return refuseMethod(request, response);
      return path === HEALTH_PATH ? answerHealth(response) : answerReady(response, this.#notReady);
    }
    const retryAfterMs = this.#waitMs(request);
    if (retryAfterMs > 0) {
      const message = "Cannot answer this request: too many come from this address";
      return answerError(response, new RealtimeError("RATE_LIMITED", message, { retryAfterMs }));
    }
    if (pages?.answer(request, response)) return;
    if (path !== GRAPHQL_PATH) {
      return answerJson(response, 404, { error: `Nothing is here: the API is at ${GRAPHQL_PATH}` });
    }
    if (request.method === "OPTIONS") return access.answerPreflight(response);
    void graphql(request, response);
  }

  /** How long the sender of a request is to wait; 0 when it is answered. */
  #waitMs(request: IncomingMessage): number {
    const { requests, addresses, notices } = this.#deps;
    if (requests === undefined) return 0;
    const network = networkOf(addresses.of(request));
    const waitMs = requests.take(network);
    if (waitMs > 0) notices.note("requests", network);
    return waitMs;
  }
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1_000);
}

function refuseMethod({ method }: IncomingMessage, response: ServerResponse): void {
  response.setHeader("allow", "GET, HEAD");
  answerError(response, new RealtimeError("BAD_USER_INPUT", `Cannot answer ${method}: must be GET or HEAD`), 405);
}
