import { assertEquals } from "@std/assert";
import type { FollowEnd } from "../../src/core/follow_membership.ts";
import type { ConnectionEnd, Session, SessionConnection } from "../../src/core/sessions.ts";
import { MembershipModel, type ModelFollower } from "./membership_model.ts";
import { lobby, openMembershipWorld, type TestFollower, unavailable, unknown } from "./membership_world.ts";
import { seeded } from "./seeded.ts";

const LINGER_MS = 10_000;
const LEASE_MS = 60_000;
const SESSION_IDS = ["a", "b", "c"] as const;

/** How a run goes. */
export interface RunOptions {
  /** Do not wait for the end of one step before the next. */
  readonly atOnce?: boolean;
  /** The share of calls the engine refuses, from 0 to 1. */
  readonly failures?: number;
}

interface Connected {
  readonly connection: SessionConnection;
  readonly followers: Set<Followed>;
}

interface Followed {
  readonly follower: TestFollower;
  readonly model: ModelFollower;
}

/** Opens a run of random steps by ann's sessions, and a model that takes the same steps. */
export async function openRun(seed: number, options: RunOptions = {}) {
  const random = seeded(seed);
  const times = { leaveGraceMs: [3_000, 10_000, 15_000][seed % 3]!, lingerMs: LINGER_MS, leaseMs: LEASE_MS };
  const failing = { share: options.failures ?? 0 };
  const world = await openMembershipWorld({
    leaveGraceMs: times.leaveGraceMs,
    chooseFailure() {
      if (failing.share === 0 || random() >= failing.share) return undefined;
      return random() < 0.5
        ? { error: unavailable, afterwards: false }
        : { error: unknown, afterwards: random() < 0.5 };
    },
  });
  const { atOnce = false, failures = 0 } = options;
  return new MembershipRun({
    random,
    world,
    model: new MembershipModel(times),
    failing,
    mayFail: failures > 0,
    atOnce,
  });
}

interface RunParts {
  readonly random: () => number;
  readonly world: Awaited<ReturnType<typeof openMembershipWorld>>;
  readonly model: MembershipModel;
  readonly failing: { share: number };
  readonly mayFail: boolean;
  readonly atOnce: boolean;
}

/** Random steps, each taken by the memberships and by the model. */
export class MembershipRun {
  readonly world: RunParts["world"];
  readonly model: MembershipModel;
  readonly random: () => number;
  readonly #parts: RunParts;
  readonly #connections: Connected[] = [];
  /** A session's name in the model. */
  readonly #names = new Map<Session, string>();
  #underWay: Promise<unknown>[] = [];
  /** Whether a leave is under way. What ends at the same moment may end before it: a grace, or none. */
  #isLeaving = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.world = parts.world;
    this.model = parts.model;
    this.random = parts.random;
  }

  /** Takes one step, and tells its name. */
  async step(): Promise<string> {
    const connected = this.#pick(this.#connections);
    const choice = this.random();
    if (choice < 0.14 || connected === undefined) return this.#connect(this.#pick(SESSION_IDS)!);
    if (choice < 0.30) return await this.#join(connected);
    if (choice < 0.40) return await this.#leave(connected);
    if (choice < 0.43) return await this.#leaveOverHttp();
    if (choice < 0.56) return await this.#follow(connected, this.random() < 0.4);
    if (choice < 0.78 && this.#isLeaving) await this.settle();
    if (choice < 0.66) return this.#unfollow(connected);
    if (choice < 0.78) return this.#close(connected, this.random() < 0.5 ? "DISCONNECTED" : "TIMEOUT");
    if (choice < 0.83) return await this.#lease();
    if (choice < 0.86) return await this.#remove();
    return await this.#pass(1 + Math.floor(this.random() ** 3 * 25));
  }

  /** Waits until all that is under way has settled. */
  async settle(): Promise<void> {
    const results = await Promise.allSettled(this.#underWay.splice(0));
    if (!this.#parts.mayFail) {
      for (const result of results) assertEquals(result.status, "fulfilled");
    }
    // Longer than any chain of what waits for nothing but its turn.
    for (let turn = 0; turn < 60; turn++) await undefined;
    this.#isLeaving = false;
  }

  /** Checks that the member is there when the model has it, with as many sessions. */
  async compare(when: string): Promise<void> {
    const expected = this.model.isMember ? this.model.holders.size : undefined;
    assertEquals(await this.world.sessionCount(), expected, when);
  }

  /** Everybody goes, the engine refuses nothing any more, and time passes: nothing may be left. */
  async end(when: string): Promise<void> {
    this.#parts.failing.share = 0;
    await this.settle();
    for (const connected of [...this.#connections]) this.#close(connected, "DISCONNECTED");
    await this.#pass(80);
    const { world } = this;
    assertEquals(await world.member(), undefined, when);
    assertEquals([world.memberships.size, world.sessions.size, world.pendingTimers()], [0, 0, 0], when);
    for (const [at, event] of world.heard.entries()) {
      assertEquals(event.split(" ")[0], at % 2 === 0 ? "joined" : "left", when);
    }
    assertEquals(world.heard.length % 2, 0, when);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }

  #connect(sessionId: string): string {
    const connection = this.world.connect(sessionId);
    const { session, continues } = connection;
    if (!this.#names.has(session)) this.#names.set(session, `${sessionId}#${this.#names.size}`);
    this.#connections.push({ connection, followers: new Set() });
    if (!continues || !session.rooms.has(lobby)) return `connect ${sessionId}`;
    this.#begin(this.world.join(connection));
    this.model.join(this.#nameOf(connection));
    return `continue ${sessionId}`;
  }

  async #join({ connection }: Connected): Promise<string> {
    this.#begin(this.world.join(connection));
    this.model.join(this.#nameOf(connection));
    await this.#inTurn();
    return `join ${this.#nameOf(connection)}`;
  }

  async #leave({ connection }: Connected): Promise<string> {
    this.#isLeaving = true;
    this.#begin(this.world.leave(connection));
    this.model.leave([this.#nameOf(connection)], connection.session.id);
    await this.#inTurn();
    return `leave ${this.#nameOf(connection)}`;
  }

  async #leaveOverHttp(): Promise<string> {
    const sessionId = this.#pick(["http", null, ...this.#unconnectedIds()])!;
    this.#isLeaving = true;
    this.#begin(sessionId === null ? this.world.leaveWithAll() : this.world.leaveByLease(sessionId));
    const named = this.#nameOfId(sessionId);
    const waiting = named !== undefined && this.model.isWaiting(named) ? [named] : [];
    this.model.leave(sessionId === null ? "all" : waiting, sessionId);
    await this.#inTurn();
    return `leave ${sessionId}`;
  }

  async #follow({ connection, followers }: Connected, joins: boolean): Promise<string> {
    const model = { session: this.#nameOf(connection), joins };
    this.model.follow(model);
    const follower = await this.world.follow(connection, { joins }).catch(() => undefined);
    if (follower !== undefined) followers.add({ follower, model });
    // A plain one holds once it has its turn: what comes at the same moment may come before it.
    await (joins ? this.#inTurn() : this.settle());
    return `follow ${model.session}${joins ? ", joining" : ""}`;
  }

  #unfollow({ followers }: Connected): string {
    const followed = this.#pick([...followers]);
    if (followed === undefined) return "nothing";
    followers.delete(followed);
    this.#endFollowing(followed, "COMPLETED");
    return `complete ${followed.model.session}`;
  }

  /** A connection's subscriptions end before or after it, as the transport likes. */
  #close(connected: Connected, reason: ConnectionEnd): string {
    const { connection, followers } = connected;
    this.#connections.splice(this.#connections.indexOf(connected), 1);
    const endAll = (): void => {
      for (const followed of followers) this.#endFollowing(followed, reason);
      followers.clear();
    };
    if (this.random() < 0.5) endAll();
    connection.close(reason);
    if (connection.session.connections === 0) this.model.disconnect(this.#nameOf(connection), reason);
    endAll();
    return `close ${this.#nameOf(connection)} ${reason}`;
  }

  async #lease(): Promise<string> {
    // When it takes place among other steps would be anybody's guess.
    await this.settle();
    const sessionId = this.#pick(["http", ...this.#unconnectedIds()])!;
    this.#begin(this.world.lease(sessionId));
    this.model.lease(sessionId, this.#nameOfId(sessionId));
    await this.settle();
    return `lease ${sessionId}`;
  }

  async #remove(): Promise<string> {
    this.#begin(this.world.memberships.remove(lobby, "ann", null));
    this.model.remove();
    for (const { followers } of this.#connections) {
      for (const followed of followers) this.#endFollowing(followed, "COMPLETED");
      followers.clear();
    }
    await this.#inTurn();
    return "remove";
  }

  async #pass(seconds: number): Promise<string> {
    await this.settle();
    for (let second = 0; second < seconds; second++) {
      this.world.clock.advance(1_000);
      this.model.pass(1_000);
      await this.settle();
    }
    return `pass ${seconds} s`;
  }

  #endFollowing({ follower, model }: Followed, end: FollowEnd): void {
    follower.unfollow(end);
    this.model.unfollow(model, end);
  }

  #begin(step: Promise<unknown>): void {
    // Looked at when the run settles.
    step.catch(() => {});
    this.#underWay.push(step);
  }

  async #inTurn(): Promise<void> {
    if (!this.#parts.atOnce) await this.settle();
  }

  #unconnectedIds(): readonly string[] {
    return SESSION_IDS.filter((id) => this.world.sessions.find("ann", id) === undefined);
  }

  /** The name of the session that waits to be continued under this id. */
  #nameOfId(sessionId: string | null): string | undefined {
    return [...this.#names].find(([{ id, ended }]) => id === sessionId && !ended)?.[1];
  }

  #nameOf({ session }: SessionConnection): string {
    return this.#names.get(session)!;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }
}
