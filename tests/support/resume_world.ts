import { assertEquals } from "@std/assert";
import type { RoomsOptions } from "../../src/options.ts";
import { BROADCAST, MESSAGES, SEND } from "./documents.ts";
import { type LocalServer, startLocalServer } from "./local_server.ts";
import { ManualClock } from "./manual_clock.ts";
import type { Received, Result } from "./stock_client.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** A kind of client that comes back after a break, and what it promises then. */
export interface ResumeCase {
  readonly name: string;
  /** Whether nothing comes to it again, and it is told of what is missing. */
  readonly exactlyOnce: boolean;
  /**
   * Whether it waits before it comes back, as it does for its users. Then all scenarios
   * run at once, as steps of one test.
   *
   * @default {false}
   */
  readonly waits?: boolean;
  create(url: string, options: ResumingClientOptions): ResumingClient;
}

/** Who a client is to be. What a client cannot be told, it decides for itself. */
export interface ResumingClientOptions {
  readonly userId: string;
  readonly sessionId: string;
  readonly shouldRetry?: () => boolean;
}

/** One client. Disposing of it ends its subscriptions, and resolves when nothing of it is open. */
export interface ResumingClient extends AsyncDisposable {
  /** Subscribes; results have their extensions, and a refusal is a {@linkcode Refused}. */
  follow(query: string, variables: Record<string, unknown>): Received;
  /** The rooms of which the program has been told that something is missing for good; undefined when it is not told. */
  readonly gaps?: readonly unknown[];
}

export const ANN: ResumingClientOptions = { userId: "ann", sessionId: "tab" };
export const DEPLOYS = `subscription ($room: ID!) { messages(room: $room, event: "deploy") { id content } }`;
/** How long a test waits for what must come, in milliseconds, before it fails. */
export const PATIENCE_MS = 10_000;
/** More than the server waits before it tells where a subscription is, in milliseconds. */
const PING_MS = 1_000;
/** What the server leaves between two Pings, in milliseconds. */
export const PAUSE_MS = 900;

/** A server in a time that stands still, and one client behind a network that fails. */
export class ResumeWorld implements AsyncDisposable {
  readonly #clock: ManualClock;
  readonly #followed: Followed[] = [];

  private constructor(
    readonly kind: ResumeCase,
    readonly server: LocalServer,
    readonly proxy: TcpProxy,
    readonly client: ResumingClient,
    clock: ManualClock,
  ) {
    this.#clock = clock;
  }

  static async start(kind: ResumeCase, options: RoomsOptions = {}, more: Partial<ResumingClientOptions> = {}) {
    const clock = new ManualClock();
    const server = await startLocalServer(options, clock);
    const proxy = await TcpProxy.start(server.port);
    return new ResumeWorld(kind, server, proxy, kind.create(urlOf(proxy), { ...ANN, ...more }), clock);
  }

  /** Follows a room; resolves once it is live. */
  async follow(room: string, query = MESSAGES): Promise<Followed> {
    const followed = new Followed(this.client.follow(query, { room }), this.kind);
    this.#followed.push(followed);
    await this.live();
    return followed;
  }

  /** Resolves once all that is followed is live. */
  live(): Promise<void> {
    return this.has({ subscriptions: this.#followed.length });
  }

  /** Resolves once the server counts so many. */
  has(counts: Readonly<Record<string, number>>): Promise<void> {
    return untilCountsAre(this.server.url, counts);
  }

  async send(room: string, ...contents: string[]): Promise<void> {
    for (const content of contents) await post(this.server.url, SEND, { room, content });
  }

  /** Sends as the client itself, over HTTP, to everyone but it. */
  async sendExcludingSelf(room: string, ...contents: string[]): Promise<void> {
    const { fields } = this.server.telemetry.records.find(({ event }) => event === "connection.opened")!;
    const headers = { "x-user-id": String(fields.userId), "x-session-id": String(fields.sessionId) };
    for (const content of contents) {
      await post(this.server.url, SEND, { room, content, excludeSelf: true }, headers);
    }
  }

  /** Sends an event that {@linkcode DEPLOYS} lets through. */
  async deploy(room: string, content: string): Promise<void> {
    await post(this.server.url, BROADCAST, { room, event: "deploy", content });
  }

  /** Breaks the client's connection, on both sides of the proxy. */
  cut(): void {
    for (const followed of this.#followed) followed.goesOn();
    this.proxy.cut();
  }

  /** Breaks the client's connection, and lets none be made before this is done; `left` is what the server has then. */
  async away(meanwhile: () => Promise<void> | void = () => {}, left = { connections: 0 }): Promise<void> {
    this.proxy.stall();
    this.proxy.cut();
    await this.has(left);
    await meanwhile();
    for (const followed of this.#followed) followed.goesOn();
    this.proxy.resume();
  }

  /** Lets the server ping, and the client answer: nothing that has come may come again. */
  async confirm(): Promise<void> {
    await this.pass(PING_MS);
    for (const followed of this.#followed) followed.confirmed();
  }

  /** Lets so much time pass; resolves once the server has the answers to what it pings by then. */
  async pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
    // Goes the same way: there behind the Ping, and back behind the Pong.
    const fence = this.client.follow(MESSAGES, { room: "fence" });
    await this.has({ subscriptions: this.#followed.length + 1 });
    await this.send("fence", "behind the Ping");
    await fence.next();
    fence.stop();
    await this.live();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy.resume();
    await this.client[Symbol.asyncDispose]();
    await this.has({ connections: 0 });
    await this.proxy[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    assertEquals(this.server.telemetry.records.filter(({ level }) => level === "error"), []);
  }
}

/** One subscription, whose messages are to come in order, and again only where that is allowed. */
export class Followed {
  readonly #received: Received;
  readonly #exactlyOnce: boolean;
  /** By message id, the connection it came over last. */
  readonly #connections = new Map<string, number>();
  readonly #confirmed = new Set<string>();
  /** How many results had come when each connection was replaced. */
  readonly #goneOnAt: number[] = [];
  #taken = 0;

  constructor(received: Received, { exactlyOnce }: ResumeCase) {
    this.#received = received;
    this.#exactlyOnce = exactlyOnce;
  }

  /** All that has come. */
  get results(): readonly Result[] {
    return this.#received.results;
  }

  failure(): Promise<unknown> {
    return this.#received.failure();
  }

  /** From now on what comes has come over another connection. */
  goesOn(): void {
    this.#goneOnAt.push(this.results.length);
  }

  /** The server knows that all that has come has come. */
  confirmed(): void {
    for (const { data } of this.results) this.#confirmed.add(data.messages.id);
  }

  /** Takes these messages, and no other; resolves with what their frames say of whether all was recovered. */
  async gets(...contents: string[]): Promise<boolean[]> {
    const told: boolean[] = [];
    for (const content of contents) {
      let result = await this.#received.next();
      while (this.#mayComeAgain(result)) {
        told.push(...recoveredOf(result));
        result = await this.#received.next();
      }
      told.push(...recoveredOf(result));
      assertEquals(result.data?.messages.content, content);
    }
    return told;
  }

  /** Whether it has come before, and not been confirmed, over an earlier connection. Called once for each result. */
  #mayComeAgain({ data }: Result): boolean {
    const { id } = data.messages;
    const at = this.#taken++;
    const connection = this.#goneOnAt.filter((results) => results <= at).length;
    const last = this.#connections.get(id) ?? connection;
    this.#connections.set(id, connection);
    return !this.#exactlyOnce && last < connection && !this.#confirmed.has(id);
  }
}

function recoveredOf({ extensions }: Result): boolean[] {
  return extensions?.recovered === undefined ? [] : [extensions.recovered];
}

export function urlOf({ port }: TcpProxy): string {
  return `http://127.0.0.1:${port}/graphql`;
}

/** Sends one operation by POST. */
export async function post(url: string, query: string, variables: unknown = {}, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors !== undefined) throw new AggregateError(errors, `Cannot run ${query}`);
  return data;
}

export async function untilCountsAre(url: string, counts: Readonly<Record<string, number>>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { server } = await post(url, `{ server { ${Object.keys(counts).join(" ")} } }`);
    if (Object.entries(counts).every(([what, count]) => server[what] === count)) return;
    if (performance.now() > endMs) return assertEquals(server, counts);
  }
}
