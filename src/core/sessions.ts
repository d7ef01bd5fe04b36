import type { Principal } from "./auth.ts";
import type { Cancel, Clock } from "./clock.ts";
import type { LeaveReason } from "./event.ts";
import type { RoomName } from "./room_name.ts";
import { SmallSet } from "./small_set.ts";

/**
 * One run of one client: a set of connections that share a session id.
 *
 * Two users cannot share a session: it is known by user and id together.
 */
export interface Session {
  readonly id: string;
  readonly userId: string;
  /** How many connections it has now; 0 while it can only be continued. */
  readonly connections: number;
  /** Whether it cannot be continued any more. */
  readonly ended: boolean;
  /** Whom its connections speak for: each has a proof of its own. */
  readonly principals: readonly Principal[];
  /** The rooms it has joined and not left; kept while it waits to be continued. Changed by `Memberships` alone. */
  readonly rooms: SmallSet<RoomName>;
  /** The rooms in which its user's state is to go with it. Changed by `MemberStates` and `HeldMembership` alone. */
  readonly statefulRooms: SmallSet<RoomName>;
}

/** One connection's part in its session. */
export interface SessionConnection {
  readonly session: Session;
  /** Whether the session began with it. */
  readonly isNew: boolean;
  /** Whether the session had no connection and is continued by this one. */
  readonly continues: boolean;
  /** Says that the connection has ended, and why. Calling it twice is safe. */
  close(reason: ConnectionEnd): void;
}

/** Why a connection ended: `DISCONNECTED` closed or broken, `TIMEOUT` fell silent. */
export type ConnectionEnd = Extract<LeaveReason, "DISCONNECTED" | "TIMEOUT">;

/** Who connects. */
export interface Connecting {
  readonly userId: string;
  readonly sessionId: string;
}

/** What a session needs of a connection. */
export interface SessionPeer {
  /** Whom it speaks for, asked each time: rights may change while it is open. Undefined before it is settled. */
  readonly principal: Principal | undefined;
  /** Closes it, because its user may not stay. */
  disconnect(reason: string): void;
  /** Its user is known by a new token from now on. */
  refresh(principal: Principal): void;
}

/** A token's principal, and the one that takes its place. */
export interface Refreshing {
  readonly from: Principal;
  readonly to: Principal;
}

/** What becomes of a session. */
export interface SessionListener {
  /** It has lost its last connection. */
  disconnected(session: Session, reason: ConnectionEnd): void;
  /** It cannot be continued any more. Not called for what is left when the node stops. */
  ended(session: Session): void;
}

/** What the sessions need. */
export interface SessionsDeps {
  readonly clock: Clock;
  /** How long a session without a connection can still be continued, in milliseconds. */
  readonly lingerMs: number;
  readonly listener: SessionListener;
}

/** All sessions that have a connection on this node, or had one until lately. */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #onLost: OpenSession["onLost"];

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#onLost = (session, reason) => {
      deps.listener.disconnected(session, reason);
      this.#wait(session);
    };
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Begins a session, or continues the user's session of that id. */
  connect({ userId, sessionId }: Connecting, peer: SessionPeer): SessionConnection {
    const key = sessionKey(userId, sessionId);
    let session = this.#sessions.get(key);
    const isNew = session === undefined;
    if (session === undefined) {
      session = new OpenSession(sessionId, userId, this.#onLost);
      this.#sessions.set(key, session);
    }
    const continues = session.cancelEnd !== undefined;
    session.cancelEnd?.();
    session.cancelEnd = undefined;
    const connection = new OpenConnection(session, { isNew, continues, peer });
    session.open.add(connection);
    return connection;
  }

  /** The user's session of that id, while it has a connection. */
  find(userId: string, sessionId: string): Session | undefined {
    const session = this.#sessions.get(sessionKey(userId, sessionId));
    return session !== undefined && session.connections > 0 ? session : undefined;
  }

  /** Closes every connection of a user. Whether there was one. */
  disconnect(userId: string, reason: string): boolean {
    const connections = [...this.#sessions.values()].flatMap((session) =>
      session.userId === userId ? [...session.open] : []
    );
    for (const { peer } of connections) peer.disconnect(reason);
    return connections.length > 0;
  }

  /**
   * Gives a session's connections a new token's principal, in place of the same user's old one.
   *
   * Only those that the old token has opened: another one may have been given to somebody
   * who may do less, and is not to do more because of this.
   */
  refresh(session: Session, { from, to }: Refreshing): void {
    const open = this.#sessions.get(sessionKey(session.userId, session.id))?.open ?? [];
    for (const { peer } of [...open]) if (peer.principal?.tokenId === from.tokenId) peer.refresh(to);
  }

  /** Forgets all sessions. Called once, after the last connection has closed. */
  close(): void {
    for (const session of this.#sessions.values()) session.cancelEnd?.();
    this.#sessions.clear();
  }

  /** Lets a session without a connection end, in a while if there is anything to continue. */
  #wait(session: OpenSession): void {
    const end = (): void => {
      this.#sessions.delete(sessionKey(session.userId, session.id));
      session.ended = true;
      this.#deps.listener.ended(session);
    };
    if (session.rooms.size === 0 && session.statefulRooms.size === 0) end();
    else session.cancelEnd = this.#deps.clock.after(this.#deps.lingerMs, end);
  }
}

class OpenSession implements Session {
  readonly rooms = new SmallSet<RoomName>();
  readonly statefulRooms = new SmallSet<RoomName>();
  readonly open = new SmallSet<OpenConnection>();
  cancelEnd: Cancel | undefined;
  ended = false;

  constructor(
    readonly id: string,
    readonly userId: string,
    /** Called when it has lost its last connection. */
    readonly onLost: (session: OpenSession, reason: ConnectionEnd) => void,
  ) {}

  get connections(): number {
    return this.open.size;
  }

  get principals(): readonly Principal[] {
    return [...this.open].flatMap(({ peer: { principal } }) => principal === undefined ? [] : [principal]);
  }
}

type Connected = Pick<SessionConnection, "isNew" | "continues"> & { readonly peer: SessionPeer };

class OpenConnection implements SessionConnection {
  readonly session: OpenSession;
  readonly isNew: boolean;
  readonly continues: boolean;
  readonly peer: SessionPeer;

  constructor(session: OpenSession, { isNew, continues, peer }: Connected) {
    this.session = session;
    this.isNew = isNew;
    this.continues = continues;
    this.peer = peer;
  }

  /** A function of its own: it may be called without its object. */
  readonly close = (reason: ConnectionEnd): void => {
    const { session } = this;
    if (session.open.delete(this) && session.connections === 0) session.onLost(session, reason);
  };
}

/** Neither part can hold a NUL: both were parsed. */
function sessionKey(userId: string, sessionId: string): string {
  return `${userId}\0${sessionId}`;
}
