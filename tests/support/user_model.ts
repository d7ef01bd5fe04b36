import type { FollowEnd } from "../../src/core/follow_membership.ts";
import { MembershipModel, type ModelFollower } from "./membership_model.ts";

/** A session in the model. */
export interface ModelSession {
  readonly id: string;
  /** Its own, also when a later one has the same id. */
  readonly name: string;
  connections: number;
  /** Whether it has joined and not left since: when it is continued it is a member again. */
  hasJoined: boolean;
  /** Whether it has set a state and not left since. */
  hasState: boolean;
  /** When it ends, while it waits to be continued. */
  endsAtMs: number | undefined;
}

/** Whatever has a session, and may come to have another. */
export interface SessionHolder {
  session: ModelSession;
}

const TEN_SECONDS_MS = 10_000;
const LEASE_MS = 60_000;

/** What the design says of one user: the sessions, and the membership of one room with its state. */
export class UserModel {
  readonly membership = new MembershipModel({
    leaveGraceMs: TEN_SECONDS_MS,
    lingerMs: TEN_SECONDS_MS,
    leaseMs: LEASE_MS,
  });
  /** What the others see of the member. */
  state: unknown = null;
  #stateOf: string | undefined;
  readonly #sessions = new Map<string, ModelSession>();
  #made = 0;
  #nowMs = 0;

  constructor(readonly userId: string) {}

  /** What a watcher hears of the user, in words. */
  get events(): readonly string[] {
    return this.membership.events.map((event) => event.replace(" ann", ""));
  }

  /** The session of this id, when it can be continued or has a connection. */
  find(id: string): ModelSession | undefined {
    return this.#sessions.get(id);
  }

  /** A connection begins a session, or goes on in one. */
  connect(id: string): ModelSession {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      const name = `${id}#${this.#made++}`;
      session = { id, name, connections: 0, hasJoined: false, hasState: false, endsAtMs: undefined };
      this.#sessions.set(id, session);
    }
    const continues = session.endsAtMs !== undefined;
    session.endsAtMs = undefined;
    session.connections++;
    if (continues && session.hasJoined) this.join(session);
    return session;
  }

  /** A connection has ended, when what it followed has. */
  disconnect(session: ModelSession): void {
    if (--session.connections > 0) return;
    if (session.hasJoined) this.membership.disconnect(session.name, "DISCONNECTED");
    if (session.hasJoined || session.hasState) session.endsAtMs = this.#nowMs + TEN_SECONDS_MS;
    else this.#end(session);
  }

  join(session: ModelSession, state: unknown = null): void {
    session.hasJoined = true;
    this.membership.join(session.name);
    if (state !== null) this.setState(state, session);
  }

  /** A request joins: by the session of an open connection, or by a lease. */
  joinOverHttp(sessionId: string | undefined, state: unknown): void {
    const session = sessionId === undefined ? undefined : this.find(sessionId);
    if (session !== undefined && session.connections > 0) return this.join(session, state);
    this.membership.lease(sessionId ?? "of the request alone", session?.name);
    if (state !== null) this.setState(state, undefined);
  }

  /** The session of this id leaves, and its lease ends. */
  leave(sessionId: string): void {
    const session = this.find(sessionId);
    const leaves = session !== undefined && (session.connections > 0 || session.hasJoined);
    if (leaves) forget(session);
    this.membership.leave(leaves ? [session.name] : [], sessionId);
    if (leaves && this.#stateOf === sessionId) this.#setState(null, undefined);
    this.#settle();
  }

  /** A request leaves: with the session it names, or with everything the user holds. */
  leaveOverHttp(sessionId: string | undefined): void {
    if (sessionId !== undefined) return this.leave(sessionId);
    for (const session of this.#sessions.values()) forget(session);
    this.membership.leave("all", null);
    this.#settle();
  }

  remove(): void {
    for (const session of this.#sessions.values()) forget(session);
    this.membership.remove();
    this.#settle();
  }

  /** A subscription on the room begins. */
  follow(holder: SessionHolder, joins: boolean): ModelFollower {
    const follower = {
      joins,
      get session() {
        return holder.session.name;
      },
    };
    this.membership.follow(follower);
    return follower;
  }

  unfollow(follower: ModelFollower, end: FollowEnd): void {
    this.membership.unfollow(follower, end);
    this.#settle();
  }

  /** Whether the user may have a state; it is the session's that sets it. */
  setState(state: unknown, session: ModelSession | undefined): boolean {
    if (!this.membership.isMember) return false;
    this.#setState(state, session?.id);
    if (session !== undefined) session.hasState = true;
    return true;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    this.membership.pass(ms);
    for (const session of this.#sessions.values()) {
      if (session.endsAtMs !== undefined && session.endsAtMs <= this.#nowMs) this.#end(session);
    }
    this.#settle();
  }

  #end(session: ModelSession): void {
    this.#sessions.delete(session.id);
    if (this.#stateOf === session.id) this.#setState(null, undefined);
  }

  #setState(state: unknown, sessionId: string | undefined): void {
    this.state = state;
    this.#stateOf = sessionId;
  }

  /** Who is no member has no state. */
  #settle(): void {
    if (!this.membership.isMember) this.#setState(null, undefined);
  }
}

function forget(session: ModelSession): void {
  session.hasJoined = false;
  session.hasState = false;
}
