import { assertEquals } from "@std/assert";
import { PresenceStream } from "./presence_stream.ts";
import { type FollowingKind, type LostTab, PresenceTab } from "./presence_tab.ts";
import { openPresenceWorld, type PresenceWorld } from "./presence_world.ts";
import { seeded } from "./seeded.ts";
import type { UserModel } from "./user_model.ts";

const USERS = ["ann", "bob", "cleo"];
const NAMED_SESSIONS = ["one", "two"] as const;
const KINDS: readonly FollowingKind[] = ["messages", "joining", "events"];
const MAX_TABS = 7;
/** So few that most come back before everybody has forgotten them. */
const MAX_LOST_TABS = 3;
/** Below and above the grace of 10 s, and the minute of a join over HTTP. */
const SECONDS = [1, 2, 4, 5, 9, 10, 11, 15, 59, 61] as const;
const REQUESTS = {
  joins: `mutation ($state: JSON) { joinRoom(room: "lobby", state: $state) { success } }`,
  leaves: `mutation { leaveRoom(room: "lobby") { success } }`,
} as const;
const REMOVE = `mutation ($userId: ID!) { removeFromRoom(room: "lobby", userId: $userId) { success } }`;
const DISCONNECT = `mutation ($userId: ID!) { disconnectUser(userId: $userId) { success } }`;

/** Random steps of users with tabs, streams and requests, on a whole server. */
export class PresenceRun implements AsyncDisposable {
  readonly world: PresenceWorld;
  readonly #random: () => number;
  #lost: LostTab[] = [];
  #ids = 0;

  private constructor(world: PresenceWorld, random: () => number) {
    this.world = world;
    this.#random = random;
  }

  static async open(seed: number): Promise<PresenceRun> {
    return new PresenceRun(await openPresenceWorld(USERS), seeded(seed));
  }

  /** Takes one step, and tells its name. */
  async step(): Promise<string> {
    const user = this.#pick(this.world.users)!;
    const tab = this.#pick([...this.world.tabs]);
    const choice = this.#random();
    if (choice < 0.07 || tab === undefined) return await this.#openTab(user);
    if (choice < 0.19) return await this.#comeBack();
    if (choice < 0.23) return await this.#request(user, "joins");
    if (choice < 0.26) return await this.#request(user, "leaves");
    if (choice < 0.29) return await this.#openStream(user);
    if (choice < 0.32) return await this.#endStream();
    if (choice < 0.335) return await this.#remove(user);
    if (choice < 0.345) return await this.#disconnect(user);
    if (choice < 0.42) return await this.#moveWatcher();
    if (choice < 0.52) return await this.#pass();
    const what = `${tab.user.userId} ${tab.session.name}`;
    if (choice < 0.63) return await tab.join(this.#maybeState()).then(() => `${what} joins`);
    if (choice < 0.67) return await tab.leave().then(() => `${what} leaves`);
    if (choice < 0.76) return await this.#follow(tab, what);
    if (choice < 0.79) return await this.#complete(tab, what);
    if (choice < 0.84) return await tab.setState(this.#state()).then(() => `${what} sets a state`);
    if (choice < 0.87) return await this.#takeOver(tab, what);
    return await this.#lose(tab, what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }

  async #openTab(user: UserModel): Promise<string> {
    if (this.world.tabs.size >= MAX_TABS) return "nothing";
    const tab = await PresenceTab.open(this.world, {
      user,
      sessionId: this.#random() < 0.5 ? undefined : this.#pick(NAMED_SESSIONS),
      makesUniqueIds: this.#random() < 0.7,
      operations: [],
    });
    return `${user.userId} opens ${tab.session.name}`;
  }

  #remember(lost: LostTab): void {
    if (this.#lost.push(lost) > MAX_LOST_TABS) this.#lost.shift();
  }

  async #comeBack(): Promise<string> {
    const lost = this.#pick(this.#lost);
    if (lost === undefined) return "nothing";
    this.#lost = this.#lost.filter((one) => one !== lost);
    const tab = await PresenceTab.open(this.world, lost);
    return `${lost.user.userId} comes back as ${tab.session.name} to ${tab.following.join()}`;
  }

  /** A client comes back before the server has noticed that it was gone. */
  async #takeOver(tab: PresenceTab, what: string): Promise<string> {
    await PresenceTab.open(this.world, tab.asLost);
    return `${what} comes back while it is there`;
  }

  async #lose(tab: PresenceTab, what: string): Promise<string> {
    const how = this.#random() < 0.3 ? "close" : "break";
    this.#remember(await tab.end(how));
    return `${what} ${how}s`;
  }

  async #follow(tab: PresenceTab, what: string): Promise<string> {
    const kind = this.#pick(KINDS)!;
    const id = tab.makesUniqueIds ? crypto.randomUUID() : `id ${this.#ids++}`;
    await tab.follow(kind, id);
    return `${what} follows ${kind} as ${id}`;
  }

  async #complete(tab: PresenceTab, what: string): Promise<string> {
    const id = this.#pick(tab.following);
    if (id === undefined) return "nothing";
    await tab.complete(id);
    return `${what} completes ${id}`;
  }

  /** Over HTTP: in no session, in that of an open connection, in one of its own. */
  async #request(user: UserModel, what: keyof typeof REQUESTS): Promise<string> {
    const open = [...this.world.tabs].filter((tab) => tab.user === user).map(({ session }) => session.id);
    const sessionId = this.#pick([undefined, "script", ...NAMED_SESSIONS, ...open]);
    const state = this.#maybeState();
    const named: Record<string, string> = sessionId === undefined ? {} : { "x-session-id": sessionId };
    const response = await fetch(this.world.url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-user-id": user.userId, ...named },
      body: JSON.stringify({ query: REQUESTS[what], variables: what === "joins" ? { state } : {} }),
    });
    assertEquals((await response.json()).errors, undefined);
    if (what === "joins") user.joinOverHttp(sessionId, state);
    else user.leaveOverHttp(sessionId);
    return `${user.userId} ${what} over HTTP as ${sessionId}`;
  }

  async #openStream(user: UserModel): Promise<string> {
    const sessionId = this.#random() < 0.5 ? undefined : this.#pick(NAMED_SESSIONS);
    const kind = this.#pick(KINDS)!;
    const stream = await PresenceStream.open(this.world, { user, kind, sessionId });
    return `${user.userId} follows ${kind} over HTTP as ${stream.session.name}`;
  }

  async #endStream(): Promise<string> {
    const stream = this.#pick([...this.world.streams]);
    if (stream === undefined) return "nothing";
    await stream.end();
    return `${stream.user.userId} ends a stream of ${stream.session.name}`;
  }

  async #remove(user: UserModel): Promise<string> {
    const { isMember } = user.membership;
    const { removeFromRoom } = await this.world.run(REMOVE, { userId: user.userId });
    assertEquals(removeFromRoom, { success: isMember });
    user.remove();
    for (const tab of this.world.tabs) if (tab.user === user) await tab.removed();
    for (const stream of this.world.streams) if (stream.user === user) await stream.end();
    return `${user.userId} is removed`;
  }

  async #disconnect(user: UserModel): Promise<string> {
    await this.world.run(DISCONNECT, { userId: user.userId });
    for (const tab of this.world.tabs) if (tab.user === user) this.#remember(await tab.end("closed"));
    for (const stream of this.world.streams) if (stream.user === user) await stream.end();
    return `${user.userId} is disconnected`;
  }

  async #moveWatcher(): Promise<string> {
    const watcher = this.#pick(this.world.watchers.slice(1))!;
    const { name, isConnected, answers } = watcher;
    if (!isConnected) return await this.world.comeBack(watcher).then(() => `${name} comes back`);
    // What has come by then may be lost with the connection; but who answers nothing must have
    // heard where it begins, for the server takes it for one that has.
    if (!answers || this.#random() < 0.5) await watcher.listen();
    await this.world.drop(watcher);
    return `${name} drops`;
  }

  async #pass(): Promise<string> {
    const seconds = this.#pick(SECONDS)!;
    await this.world.pass(seconds);
    return `${seconds} s pass`;
  }

  #state(): unknown {
    return { typing: this.#ids++ };
  }

  #maybeState(): unknown {
    return this.#random() < 0.3 ? this.#state() : null;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}
