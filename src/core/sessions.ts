import type { Cancel, Clock } from "./clock.ts";
import type { LeaveReason } from "./event.ts";
import type { RoomName } from "./room_name.ts";

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
  /** The memberships this session holds. Changed by {@linkcode Memberships} alone. */
  readonly memberships: Set<Membership>;
}

/** One user's being in one room, as far as this node holds it. */
export interface Membership {
  readonly room: RoomName;
  readonly userId: string;
}

/** One connection's part in its session. */
export interface SessionConnection {
  readonly session: Session;
  /** Says that the connection has ended, and why. Calling it twice is safe. */
  close(reason: ConnectionEnd): void;
}

/** Why a connection ended: `DISCONNECTED` closed or broken, `TIMEOUT` fell silent. */
export type ConnectionEnd = Extract<LeaveReason, "DISCONNECTED" | "TIMEOUT">;

/** What the sessions need. */
export interface SessionsDeps {
  readonly clock: Clock;
  /** How long a session without a connection can still be continued, in milliseconds. */
  readonly lingerMs: number;
  /** Called when a session loses its last connection, once each time. */
  readonly onDisconnected: (session: Session, reason: ConnectionEnd) => void;
}

/** All sessions that have a connection on this node, or had one until lately. */
export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #sessions = new Map<string, OpenSession>();

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Begins a session, or continues the user's session of that id. */
  connect(userId: string, sessionId: string): SessionConnection {
    const key = sessionKey(userId, sessionId);
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = new OpenSession(sessionId, userId);
      this.#sessions.set(key, session);
    }
    const connected = session;
    connected.cancelEnd?.();
    connected.cancelEnd = undefined;
    connected.connections++;
    let open = true;
    return {
      session: connected,
      close: (reason) => {
        if (!open) return;
        open = false;
        if (--connected.connections > 0) return;
        connected.cancelEnd = this.#deps.clock.after(this.#deps.lingerMs, () => this.#sessions.delete(key));
        this.#deps.onDisconnected(connected, reason);
      },
    };
  }

  /** The user's session of that id, while it has a connection. */
  find(userId: string, sessionId: string): Session | undefined {
    const session = this.#sessions.get(sessionKey(userId, sessionId));
    return session !== undefined && session.connections > 0 ? session : undefined;
  }

  /** Forgets all sessions. Called once, after the last connection has closed. */
  close(): void {
    for (const session of this.#sessions.values()) session.cancelEnd?.();
    this.#sessions.clear();
  }
}

class OpenSession implements Session {
  readonly memberships = new Set<Membership>();
  connections = 0;
  cancelEnd: Cancel | undefined;

  constructor(readonly id: string, readonly userId: string) {}
}

/** Neither part can hold a NUL: both were parsed. */
function sessionKey(userId: string, sessionId: string): string {
  return `${userId}\0${sessionId}`;
}
