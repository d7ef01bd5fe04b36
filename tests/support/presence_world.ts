import { assert, assertEquals } from "@std/assert";
import { FencedClient } from "./fenced_client.ts";
import { startLocalServer } from "./local_server.ts";
import { ManualClock } from "./manual_clock.ts";
import { PresenceChecker } from "./presence_checker.ts";
import type { PresenceStream } from "./presence_stream.ts";
import type { ModelReceipt, PresenceTab } from "./presence_tab.ts";
import { RoomWatcher } from "./room_watcher.ts";
import { UserModel } from "./user_model.ts";

/** Time that may pass before clients must have answered their Pings, in milliseconds. */
const ANSWER_MS = 4_000;
const MEMBERS = `{ room(room: "lobby") { memberCount members(first: 300) { nodes { userId sessionCount state } } } }`;

/** Less than anything is kept for those who come back, in milliseconds. */
const MAX_AWAY_MS = 110_000;

/** A member as {@linkcode MEMBERS} lists it. */
type ListedMember = { readonly userId: string; readonly sessionCount: number; readonly state: unknown };

/** The clients that follow the lobby, from the first step to the last; the first one never drops. */
const WATCHERS = {
  steady: { snapshot: false, resumesBy: "receipt", answers: true },
  changes: { snapshot: false, resumesBy: "receipt", answers: true },
  mute: { snapshot: true, resumesBy: "receipt", answers: false },
  stock: { snapshot: true, resumesBy: "receipt", answers: true },
  exact: { snapshot: true, resumesBy: "entry", answers: true },
} as const;

/** Who is on the server: users, each with a model, and watchers whom a checker follows. */
export type PresenceWorld = Awaited<ReturnType<typeof openPresenceWorld>>;

/** Starts a whole server whose time stands still, and clients that watch its lobby. */
export async function openPresenceWorld(userIds: readonly string[]) {
  const clock = new ManualClock();
  // A peer that has to answer WebSocket pings would need real time.
  const server = await startLocalServer({ server: { pingMs: 86_400_000, drainMs: 20_000 } }, clock);
  const { telemetry, url, webSocketUrl } = server;
  const admin = await FencedClient.open(webSocketUrl, { init: { userId: "admin" }, answers: true, onMessage() {} });
  const checker = new PresenceChecker("lobby");
  const watchers = Object.entries(WATCHERS).map(([name, options]) =>
    new RoomWatcher(name, webSocketUrl, checker, options)
  );
  const [steady] = watchers as [RoomWatcher];
  const users = userIds.map((userId) => new UserModel(userId));
  const tabs = new Set<PresenceTab>();
  const streams = new Set<PresenceStream>();
  /** Watchers that are away, each with the time since when. */
  const away = new Map<RoomWatcher, number>();
  let closedSockets = 0;
  let closedStreams = 0;

  /** Everybody deals with all that has come. */
  const listen = async (): Promise<void> => {
    const all = [...tabs].map((tab) => tab.fence());
    await Promise.all([...all, ...watchers.map((watcher) => watcher.listen()), admin.fence()]);
  };
  const comeBack = async (watcher: RoomWatcher): Promise<void> => {
    away.delete(watcher);
    await watcher.connect();
  };
  for (const watcher of watchers) await watcher.connect();
  await listen();

  return {
    url,
    webSocketUrl,
    checker,
    users,
    watchers,
    /** Tabs and streams that are open. */
    tabs,
    streams,
    /** Operations that can be come back to, by their ids. */
    receipts: new Map<string, ModelReceipt>(),
    now: () => clock.now(),
    /** Runs an operation as somebody who may do everything. */
    run: (query: string, variables: Record<string, unknown>) => admin.run(query, variables),
    /** Resolves when the server has noticed that one more WebSocket has ended. */
    socketClosed: () => telemetry.until("connection.closed", ++closedSockets),
    /** The same for a stream. */
    streamClosed: () => telemetry.until("stream.closed", ++closedStreams),

    /** A watcher breaks off; it is back before anything that it misses can be forgotten. */
    async drop(watcher: RoomWatcher): Promise<void> {
      await watcher.drop();
      away.set(watcher, clock.now());
      await telemetry.until("connection.closed", ++closedSockets);
    },

    /** Time passes second by second, as it does; those who are there answer meanwhile. */
    async pass(seconds: number): Promise<void> {
      for (const [watcher, sinceMs] of away) {
        if (clock.now() + seconds * 1_000 - sinceMs > MAX_AWAY_MS) await comeBack(watcher);
      }
      for (let second = 1; second <= seconds; second++) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
        for (const user of users) user.pass(1_000);
        if ((second * 1_000) % ANSWER_MS === 0 || second === seconds) await listen();
      }
    },

    /** Checks that the members are those of the models. */
    async compare(when: string): Promise<void> {
      const { room: { memberCount, members } } = await admin.run(MEMBERS);
      const actual = new Map<string, ListedMember>(members.nodes.map((one: ListedMember) => [one.userId, one]));
      const expected = new Map<string, ListedMember>();
      for (const { userId, state, membership: { isMember, holders } } of users) {
        if (isMember) expected.set(userId, { userId, sessionCount: holders.size, state });
      }
      assertEquals([memberCount, actual], [expected.size, expected], when);
    },

    /** Lets every watcher hear all there is to hear, and checks what each makes of it. */
    async judge(when: string): Promise<void> {
      for (const watcher of away.keys()) await comeBack(watcher);
      await listen();
      const { room } = await admin.run(MEMBERS);
      checker.truth(room.members.nodes);
      const { ok, summary } = checker.verdict();
      assert(ok, `${when}: ${summary}`);
      for (const { userId, events } of users) {
        assertEquals(steady.heard.get(userId) ?? [], events, `${when}: ${userId}`);
      }
    },

    comeBack,
    /** Who lost something, or came back and was not told whether: nobody should who answers Pings. */
    forgotten(): readonly string[] {
      const { lost, anew } = checker.verdict();
      return [...lost, ...anew].filter((name) => name !== "mute");
    },

    async [Symbol.asyncDispose](): Promise<void> {
      for (const stream of streams) await stream[Symbol.asyncDispose]();
      for (const tab of tabs) await tab[Symbol.asyncDispose]();
      for (const watcher of watchers) await watcher.drop();
      await admin[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
