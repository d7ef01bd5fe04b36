import type { RoomsOptions } from "../../src/options.ts";
import { HttpStream } from "./http_stream.ts";
import { type LocalServer, startLocalServer } from "./local_server.ts";
import { ManualClock } from "./manual_clock.ts";
import { RawClient } from "./raw_client.ts";
import { type Claims, SECRET, signToken } from "./tokens.ts";

/** How far beyond its end a token is good, in seconds. */
export const LEEWAY_S = 30;

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** A server that asks for tokens signed with the secret, in a time of its own. */
export class TokenWorld implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: LocalServer;

  private constructor(server: LocalServer, clock: ManualClock) {
    this.server = server;
    this.clock = clock;
  }

  static async start(options: RoomsOptions = {}): Promise<TokenWorld> {
    const clock = new ManualClock();
    const auth = { ...options.auth, jwt: { secret: SECRET, leewayMs: LEEWAY_S * 1_000, ...options.auth?.jwt } };
    // Time is moved in leaps: a peer that was asked for a sign of life could not give one meanwhile.
    const server = { pingMs: 86_400_000, ...options.server };
    return new TokenWorld(await startLocalServer({ ...options, server, auth }, clock), clock);
  }

  /** A user's token, good for so many seconds, with these other claims. */
  token(sub: string, seconds = 60, claims: Claims = {}): Promise<string> {
    return signToken({ sub, exp: this.clock.now() / 1_000 + seconds, ...claims });
  }

  /** Connects over WebSocket, acknowledged as whoever the parameters say. */
  connect(parameters: Record<string, unknown>): Promise<RawClient> {
    return RawClient.ready(this.server.webSocketUrl, parameters);
  }

  /** Subscribes over HTTP. */
  stream(token: string, query: string, headers: Record<string, string> = {}): Promise<HttpStream> {
    return HttpStream.subscribe(this.server.url, query, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${token}`, ...headers },
    });
  }

  /** Sends one operation by POST. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  async post(query: string, headers: Record<string, string> = {}): Promise<any> {
    const response = await fetch(this.server.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, headers: response.headers, ...await response.json() };
  }

  /** Resolves once the server has so many live subscriptions. */
  async subscribed(count: number): Promise<void> {
    const authorization = await this.token("root", 3_600, { scope: "admin" });
    const endMs = performance.now() + PATIENCE_MS;
    while ((await this.post("{ server { subscriptions } }", { authorization })).data.server.subscriptions < count) {
      if (performance.now() > endMs) throw new Error(`Cannot find ${count} subscriptions: nobody subscribes`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}
