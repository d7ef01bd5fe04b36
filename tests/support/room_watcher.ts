import { assertEquals } from "@std/assert";
import { FencedClient } from "./fenced_client.ts";
import type { HeardEvent, PresenceChecker } from "./presence_checker.ts";
import type { ProtocolMessage } from "./raw_client.ts";

/** How a watcher follows a room. */
export interface RoomWatcherOptions {
  readonly snapshot: boolean;
  /** How it goes on over a new connection: by its operation's id, or by saying where it left off. */
  readonly resumesBy: "receipt" | "entry";
  /** Whether it answers Pings: without it there are no receipts. */
  readonly answers: boolean;
}

const FIELDS = `type userId cursor
  ... on UserJoined { member { state } } ... on UserLeft { reason } ... on MemberUpdated { member { state } }
  ... on RoomSnapshot { memberCount recovered members { userId state } }`;
const CHANGES = `subscription { roomEvents(room: "lobby", types: [JOINED, LEFT, UPDATED]) { ${FIELDS} } }`;
const ALL = `subscription { roomEvents(room: "lobby", types: [SNAPSHOT, JOINED, LEFT, UPDATED]) { ${FIELDS} } }`;

/** A client that follows the events of the lobby, over one connection after the other, for a checker. */
export class RoomWatcher {
  readonly name: string;
  /** What it has heard of each user, in words. */
  readonly heard = new Map<string, string[]>();
  readonly #url: string;
  readonly #checker: PresenceChecker;
  readonly #options: RoomWatcherOptions;
  readonly #id: string;
  #client: FencedClient | undefined;
  #cursor: string | undefined;
  #connections = 0;

  constructor(name: string, url: string, checker: PresenceChecker, options: RoomWatcherOptions) {
    this.name = name;
    this.#url = url;
    this.#checker = checker;
    this.#options = options;
    this.#id = options.resumesBy === "receipt" ? crypto.randomUUID() : "events";
  }

  get answers(): boolean {
    return this.#options.answers;
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Connects, for the first time or again, and subscribes. */
  async connect(): Promise<void> {
    const { snapshot, resumesBy, answers } = this.#options;
    const exactlyOnce = resumesBy === "entry";
    if (this.#connections++ > 0) this.#checker.resumed(this.name);
    // Before anybody is in: `connect` is first called at the beginning.
    else this.#checker.observes(this.name, { snapshot, exactlyOnce, ...(snapshot ? {} : { members: [] }) });
    const resume = exactlyOnce && this.#cursor !== undefined ? { resume: { [this.#id]: this.#cursor } } : {};
    this.#client = await FencedClient.open(this.#url, {
      init: { userId: `watcher-${this.name}`, ...resume },
      answers,
      onMessage: (message) => this.#take(message),
      onPing: ({ recovered = [], gap = [] }) => {
        if (recovered.includes(this.#id)) this.#checker.noticed(this.name, { recovered: true });
        if (gap.includes(this.#id)) this.#checker.noticed(this.name, { gap: true });
      },
    });
    this.#client.subscribe(this.#id, snapshot ? ALL : CHANGES);
  }

  /** Breaks off. What has come and was not dealt with is lost. */
  async drop(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    this.#client = undefined;
  }

  /** Hears all there is to hear. */
  async listen(): Promise<void> {
    await this.#client?.fence();
  }

  #take({ id, type, payload }: ProtocolMessage): void {
    assertEquals([id, type, payload.errors], [this.#id, "next", undefined], JSON.stringify(payload));
    const { data: { roomEvents }, extensions } = payload;
    this.#cursor = extensions.cursor;
    this.#checker.heard(this.name, roomEvents, extensions);
    this.#remember(roomEvents);
  }

  #remember({ type, userId, reason }: HeardEvent): void {
    if (userId === null || type === "UPDATED") return;
    const heard = this.heard.get(userId) ?? [];
    this.heard.set(userId, heard);
    heard.push(type === "JOINED" ? "joined" : `left ${reason}`);
  }
}
