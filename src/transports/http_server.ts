import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.ts";
import { RealtimeError } from "../core/errors.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import type { Access } from "./access.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import type { HttpHandler } from "./graphql_http.ts";
import type { GraphqlStreams } from "./graphql_stream.ts";
import { answerError, answerJson } from "./http_error.ts";
import { answerHealth, answerReady } from "./ops.ts";
import type { Pages } from "./pages.ts";
import { GRAPHQL_PATH, HEALTH_PATH, READY_PATH } from "./paths.ts";
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
  /** WebSockets and streams that may be open. */
  readonly maxConnections: number;
}

/** What the HTTP parser is told; times in milliseconds. */
const SERVER_OPTIONS = {
  /** Time a client has for its request's headers, and for all of the request. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** How often the two are looked at. */
  connectionsCheckingInterval: 1_000,
  // Any other upgrade is to be passed over (RFC 9110 section 7.8): some clients offer h2c with every request.
  shouldUpgradeCallback: ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket",
};
/** TCP connections beyond those that may do something: to be told that there are too many. */
const CONNECTION_MARGIN = 768;

/** One `node:http` server: judges who comes in, then hands each path to its owner. */
export class HttpServer {
  readonly #deps: HttpServerDeps;
  readonly #server: Server;
  readonly #connections: TcpConnections;
  #stopping: Promise<void> | undefined;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    this.#server = createServer(SERVER_OPTIONS, (request, response) => {
      this.#connections.heard(request.socket);
      this.#answer(request, response);
    });
    this.#connections = new TcpConnections(this.#server, {
      clock: deps.clock,
      maxConnections: deps.maxConnections + CONNECTION_MARGIN,
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#connections.heard(request.socket);
      if (!this.#isLetIn(request)) return refuseUpgrade(socket, 403, "Forbidden");
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const { access, graphql, pages } = this.#deps;
    if (!this.#isLetIn(request)) {
      return answerError(
        response,
        new RealtimeError("FORBIDDEN", "Cannot answer this request: its Host or Origin is not allowed"),
      );
    }
    access.writeCorsHeaders(request, response);
    if (this.#stopping !== undefined) response.setHeader("connection", "close");
    if (request.method === "OPTIONS") return access.answerPreflight(response);
    if (path === HEALTH_PATH) return answerHealth(response);
    if (path === READY_PATH) return answerReady(response, this.#stopping === undefined);
    if (pages?.answer(request, response)) return;
    if (path !== GRAPHQL_PATH) {
      return answerJson(response, 404, { error: `Nothing is here: the API is at ${GRAPHQL_PATH}` });
    }
    void graphql(request, response);
  }

  #isLetIn(request: IncomingMessage): boolean {
    const refusal = this.#deps.access.judge(request);
    if (refusal === undefined) return true;
    this.#deps.telemetry.record("warn", "request.refused", {
      reason: refusal,
      host: request.headers.host,
      origin: request.headers.origin,
      path: pathOf(request),
      remoteAddress: request.socket.remoteAddress,
    });
    return false;
  }
}

/** The path without its query: a token may stand there. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0]!;
}
