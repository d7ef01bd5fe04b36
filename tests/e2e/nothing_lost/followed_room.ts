import type { RoomsOptions } from "../../../src/options.ts";
import { SEND } from "../../support/documents.ts";
import { type LocalServer, startLocalServer } from "../../support/local_server.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import type { Kind } from "./cells.ts";
import { Gate } from "./gate.ts";
import { FOLLOW, type Follower, type FollowOptions } from "./kinds.ts";

/** What a test sees of a client in the end. */
export type Outcome = Pick<Follower, "came" | "told" | "ends">;

/** What a room is to be like; everything has a default. */
export interface FollowedRoomOptions {
  readonly server?: RoomsOptions;
  readonly query?: string;
  readonly client?: Pick<FollowOptions, "webSocketImpl">;
}

/** What everybody asks for who needs no more. */
export const LOBBY = `subscription { messages(room: "lobby") { content } }`;
/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
/** After so long the server asks its clients what has reached them. */
const PING_MS = 1_000;

/**
 * A room, and one client that follows it through a network that fails.
 *
 * The server's time stands still: what it has not asked for yet, it asks when told to.
 */
export class FollowedRoom implements AsyncDisposable {
  readonly server: LocalServer;
  readonly proxy: TcpProxy;
  readonly clock: ManualClock;
  readonly follower: Follower;
  /** What the client must pass to come back. */
  readonly gate: Gate;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<FollowedRoom, "server" | "proxy" | "clock" | "follower" | "gate">,
    stack: AsyncDisposableStack,
  ) {
    ({ server: this.server, proxy: this.proxy, clock: this.clock, follower: this.follower, gate: this.gate } = parts);
    this.#stack = stack;
  }

  /** Starts all of it; resolves once the client is live. */
  static async start(
    kind: Kind,
    { server: options = {}, query = LOBBY, client = {} }: FollowedRoomOptions = {},
  ): Promise<FollowedRoom> {
    await using stack = new AsyncDisposableStack();
    const clock = new ManualClock();
    const server = stack.use(await startLocalServer(options, clock));
    const proxy = stack.use(await TcpProxy.start(server.port));
    const gate = new Gate();
    const url = `http://127.0.0.1:${proxy.port}/graphql`;
    const follower = stack.use(FOLLOW[kind]({ url, query, mayReturn: () => gate.pass(), ...client }));
    await follower.until(({ isOpen }) => isOpen);
    return new FollowedRoom({ server, proxy, clock, follower, gate }, stack.move());
  }

  /** Sends messages; `characters` makes each of them so long. */
  async send(names: readonly string[], characters = 0): Promise<void> {
    for (const name of names) {
      await this.server.query(SEND, { room: "lobby", content: `${name} `.padEnd(characters, "x").trimEnd() });
    }
  }

  /** Sends messages that come, and lets the server know that they have. */
  async confirm(...names: string[]): Promise<void> {
    await this.deliver(...names);
    const receipt = this.follower.receipt();
    this.clock.advance(PING_MS);
    await receipt;
  }

  /** Sends messages that come, and the server does not know yet. */
  async deliver(...names: string[]): Promise<void> {
    const { follower } = this;
    const wanted = follower.came.length + names.length;
    await this.send(names);
    await follower.until(({ came }) => came.length >= wanted);
  }

  /** Resolves once the client follows again. */
  untilLive(): Promise<void> {
    return untilFollowed(this.server, 1);
  }

  /** Resolves once nobody follows any more: the server has seen that the client is gone. */
  untilLeft(): Promise<void> {
    return untilFollowed(this.server, 0);
  }

  /** All that the app has seen. */
  outcome(): Outcome {
    const { came, told, ends } = this.follower;
    return { came, told, ends };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Resolves once so many subscriptions are live. */
export async function untilFollowed({ query }: Pick<LocalServer, "query">, count: number): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { subscriptions } = (await query("{ server { subscriptions } }")).data.server;
    if (subscriptions === count) return;
    if (performance.now() > endMs) throw new Error(`Cannot find ${count} subscriptions: there are ${subscriptions}`);
  }
}
