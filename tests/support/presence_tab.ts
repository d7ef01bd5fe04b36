import { assertEquals } from "@std/assert";
import { FencedClient } from "./fenced_client.ts";
import type { ModelFollower } from "./membership_model.ts";
import type { ProtocolMessage } from "./raw_client.ts";
import type { ModelSession, SessionHolder, UserModel } from "./user_model.ts";

/** The subscriptions of the lobby that a tab may have. */
export const FOLLOWING = {
  messages: { query: `subscription { messages(room: "lobby") { content } }`, joins: false },
  joining: { query: `subscription { messages(room: "lobby", join: true) { content } }`, joins: true },
  events: { query: `subscription { roomEvents(room: "lobby") { type } }`, joins: false },
} as const;
const JOIN = `mutation ($state: JSON) { joinRoom(room: "lobby", state: $state) { success } }`;
const LEAVE = `mutation { leaveRoom(room: "lobby") { success } }`;
const SET = `mutation ($state: JSON!) { setPresence(room: "lobby", state: $state) { success } }`;

/** How long an operation can be come back to, in milliseconds. */
const RECEIPT_MS = 120_000;

/** One of {@linkcode FOLLOWING}. */
export type FollowingKind = keyof typeof FOLLOWING;

/** What a tab does again when it comes back. */
export interface LostTab {
  readonly user: UserModel;
  /** Undefined: it names none. */
  readonly sessionId: string | undefined;
  /** Whether its operations' ids are ones that it can be known by. */
  readonly makesUniqueIds: boolean;
  readonly operations: readonly (readonly [id: string, kind: FollowingKind])[];
}

/** What the server must know of an operation, for two minutes after its connection has ended. */
export interface ModelReceipt {
  readonly sessionId: string;
  readonly hasJoined: boolean;
  /** Since when it is not running any more. */
  readonly atMs: number;
}

/** What all tabs share: the server, and where their operations have left off. */
export interface TabWorld {
  readonly webSocketUrl: string;
  /** Operations that can be come back to, by their ids. */
  readonly receipts: Map<string, ModelReceipt>;
  /** Tabs that are open. */
  readonly tabs: Set<PresenceTab>;
  now(): number;
  /** Resolves when the server has noticed that one more connection has ended. */
  socketClosed(): Promise<void>;
}

/** A client over WebSocket, and the model of what it does. */
export class PresenceTab implements SessionHolder, AsyncDisposable {
  readonly user: UserModel;
  readonly #world: TabWorld;
  readonly #client: FencedClient;
  readonly makesUniqueIds: boolean;
  readonly #namedId: string | undefined;
  readonly #following = new Map<string, { readonly kind: FollowingKind; readonly follower: ModelFollower }>();
  /** Operations that the server has ended. */
  readonly #failed: string[];
  session: ModelSession;
  /** Whether its session was none that could be continued: only receipts know what it had joined. */
  #isNew: boolean;

  private constructor(world: TabWorld, lost: LostTab, client: FencedClient, failed: string[]) {
    this.user = lost.user;
    this.#world = world;
    this.#client = client;
    this.makesUniqueIds = lost.makesUniqueIds;
    this.#namedId = lost.sessionId;
    this.#failed = failed;
    this.#isNew = lost.user.find(client.sessionId) === undefined;
    this.session = lost.user.connect(client.sessionId);
    world.tabs.add(this);
  }

  /** Connects, and subscribes again to all that a stock client would. */
  static async open(world: TabWorld, lost: LostTab): Promise<PresenceTab> {
    const { user: { userId }, sessionId } = lost;
    const failed: string[] = [];
    const client = await FencedClient.open(world.webSocketUrl, {
      init: { userId, ...(sessionId === undefined ? {} : { sessionId }) },
      answers: true,
      onMessage: ({ id, type }: ProtocolMessage) => type === "error" && failed.push(id),
    });
    const tab = new PresenceTab(world, lost, client, failed);
    for (const [id, kind] of lost.operations) await tab.follow(kind, id);
    return tab;
  }

  get following(): readonly string[] {
    return [...this.#following.keys()];
  }

  async join(state: unknown): Promise<void> {
    const { joinRoom } = await this.#client.run(JOIN, { state });
    assertEquals(joinRoom, { success: true });
    this.user.join(this.session, state);
  }

  async leave(): Promise<void> {
    const { isMember } = this.user.membership;
    assertEquals(await this.#client.run(LEAVE), { leaveRoom: { success: isMember } });
    this.user.leave(this.session.id);
  }

  async setState(state: unknown): Promise<void> {
    const { errors } = await this.#client.run(SET, { state });
    const isSet = this.user.setState(state, this.session);
    assertEquals(errors?.[0].extensions.code, isSet ? undefined : "NOT_FOUND");
  }

  /** Begins a subscription; one of a receipt continues the session that it is of. */
  async follow(kind: FollowingKind, id: string): Promise<void> {
    const { query, joins } = FOLLOWING[kind];
    this.#client.subscribe(id, query);
    const receipt = this.#recall(id);
    if (receipt !== undefined) this.#continue(receipt);
    this.#following.set(id, { kind, follower: this.user.follow(this, joins) });
    const { viewer } = await this.#client.run("{ viewer { sessionId } }");
    assertEquals(viewer.sessionId, this.session.id, `the session after ${id}`);
  }

  async complete(id: string): Promise<void> {
    this.#client.complete(id);
    await this.#client.fence();
    this.#unfollow(id, "COMPLETED");
  }

  /** The user has been removed: every subscription has ended with an error. */
  async removed(): Promise<void> {
    await this.#client.fence();
    assertEquals(this.#failed.splice(0).sort(), [...this.#following.keys()].sort());
    this.#following.clear();
  }

  /** Deals with all that has come. */
  async fence(): Promise<void> {
    await this.#client.fence();
    assertEquals(this.#failed, []);
  }

  /** Ends, by a goodbye or without one, or because the server has ended it. */
  async end(how: "close" | "break" | "closed"): Promise<LostTab> {
    if (how === "close") await this.#client.close();
    else if (how === "break") await this.#client[Symbol.asyncDispose]();
    else assertEquals((await this.#client.closed).code, 4401);
    await this.#world.socketClosed();
    const lost = this.asLost;
    const { hasJoined, id: sessionId } = this.session;
    for (const [id] of lost.operations) {
      if (this.makesUniqueIds) this.#world.receipts.set(id, { sessionId, hasJoined, atMs: this.#world.now() });
      this.#unfollow(id, "DISCONNECTED");
    }
    this.user.disconnect(this.session);
    this.#world.tabs.delete(this);
    return lost;
  }

  /** What would be come back to if it ended now; it goes on until somebody does. */
  get asLost(): LostTab {
    const operations = [...this.#following].map(([id, { kind }]) => [id, kind] as const);
    return { user: this.user, sessionId: this.#namedId, makesUniqueIds: this.makesUniqueIds, operations };
  }

  /** Breaks off, whatever the model says. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  /** What is known of an operation. One that still runs ends where it does. */
  #recall(id: string): ModelReceipt | undefined {
    if (!this.makesUniqueIds) return undefined;
    for (const tab of this.#world.tabs) {
      if (tab === this || !tab.#following.has(id)) continue;
      const { id: sessionId, hasJoined } = tab.session;
      tab.#unfollow(id, "DISCONNECTED");
      return { sessionId, hasJoined, atMs: this.#world.now() };
    }
    const receipt = this.#world.receipts.get(id);
    this.#world.receipts.delete(id);
    return receipt !== undefined && this.#world.now() - receipt.atMs < RECEIPT_MS ? receipt : undefined;
  }

  #continue({ sessionId, hasJoined }: ModelReceipt): void {
    if (this.session.id !== sessionId) {
      if (this.#namedId !== undefined) return;
      const before = this.session;
      this.#isNew = this.user.find(sessionId) === undefined;
      this.session = this.user.connect(sessionId);
      this.user.disconnect(before);
    }
    if (this.#isNew && hasJoined && !this.session.hasJoined) this.user.join(this.session);
  }

  #unfollow(id: string, end: "COMPLETED" | "DISCONNECTED"): void {
    const following = this.#following.get(id);
    this.#following.delete(id);
    if (following !== undefined) this.user.unfollow(following.follower, end);
  }
}
