import type { Clock } from "./clock.ts";
import { RealtimeError } from "./errors.ts";
import { Departures } from "./departures.ts";
import { encodeEvent, type LeaveReason } from "./event.ts";
import { type FollowEnd, followMembership } from "./follow_membership.ts";
import { HeldMembership, type HeldMembershipDeps } from "./held_membership.ts";
import type { Follower, Joining } from "./membership_holds.ts";
import type { Entered, MemberRecord, Presence } from "./presence.ts";
import type { RoomName } from "./room_name.ts";
import type { ConnectionEnd, Session } from "./sessions.ts";
import type { Telemetry } from "./telemetry.ts";

/** What the memberships need. */
export interface MembershipsDeps {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** How long after its last hold a membership ends, in milliseconds. */
  readonly leaveGraceMs: number;
  /** Rooms one session may hold. */
  readonly maxRoomsPerSession: number;
  /** Called once the engine knows that a session has left a room, or was removed from it. Must not fail. */
  readonly onReleased: (session: Session, room: RoomName) => Promise<void>;
}

/** Who leaves: the sessions that end their holds, and the one whose lease ends. */
export interface Leaving {
  readonly sessions: readonly Session[] | "all";
  /** Null: whosever lease it is. */
  readonly sessionId: string | null;
  /** What others are told. @default "LEFT" */
  readonly reason?: LeaveReason;
}

/**
 * The memberships this node holds, and what holds each.
 *
 * A membership belongs to the user. It begins with the first hold; it ends at once when
 * the last holder says so, and after a grace when the last one only lost its connection,
 * so that a reconnect is not a leave. The engine hears of a membership only when it
 * begins, changes and ends, one call after the other.
 */
export class Memberships {
  readonly #deps: MembershipsDeps;
  readonly #heldDeps: HeldMembershipDeps;
  readonly #held = new Map<string, HeldMembership>();
  readonly #departures: Departures;
  #closed = false;

  constructor(deps: MembershipsDeps) {
    this.#deps = deps;
    this.#departures = new Departures(deps.clock);
    const { presence, clock, telemetry, leaveGraceMs } = deps;
    this.#heldDeps = {
      presence,
      clock,
      telemetry,
      leaveGraceMs,
      isClosed: () => this.#closed,
      onUnused: (membership) => this.#drop(membership),
    };
  }

  /** Whether the user is a member here, as far as this node knows: also one that is only waited for. */
  isMember(room: RoomName, userId: string): boolean {
    return this.#held.get(membershipKey(room, userId))?.entered ?? false;
  }

  /** How many memberships this node holds, or would once they begin. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * Makes the session hold its user's membership, beginning it when there is none.
   *
   * A state counts only for a membership that begins.
   *
   * @throws {RealtimeError} `ROOM_LIMIT` when the session has joined as many as it may;
   * otherwise as the engine's presence does. Then the session holds no more than before.
   */
  async join(session: Session, room: RoomName, state: string | null = null): Promise<Entered> {
    const { maxRoomsPerSession } = this.#deps;
    if (!session.rooms.has(room) && session.rooms.size >= maxRoomsPerSession) {
      throw new RealtimeError(
        "ROOM_LIMIT",
        `Cannot join "${room}": this session is in ${maxRoomsPerSession} rooms already, the most it may be in`,
        { limit: maxRoomsPerSession },
      );
    }
    this.#departures.forget(room, session);
    const membership = this.#of(room, session.userId);
    const { holds } = membership;
    const joining: Joining = { session };
    // To be joined again by a session that is continued: it stays that way when this fails.
    const isKept = session.rooms.has(room) && !holds.isJoinedBy(session);
    membership.endGrace();
    holds.joining.add(joining);
    holds.waiting.delete(session);
    const hadLeft = holds.leavers.delete(session);
    session.rooms.add(room);
    return await membership.inTurn(async () => {
      try {
        const entered = await membership.enter(state === null ? null : { json: state, setBy: session });
        if (holds.joining.delete(joining)) holds.joined.add(session);
        // A session that lost its last connection before it was made a holder is not told to us again.
        if (session.connections === 0) membership.loseConnection(session, "DISCONNECTED");
        return entered;
      } catch (error) {
        holds.joining.delete(joining);
        if (!holds.isJoinedBy(session)) {
          if (!isKept) this.forget(session, room);
          if (hadLeft) holds.noteLeft(session);
        }
        throw error;
      }
    });
  }

  /** Lets a subscription hold its user's membership, as {@linkcode followMembership} does. */
  follow(room: RoomName, follower: Follower): Promise<(end: FollowEnd) => void> {
    if (follower.joins) this.#departures.forget(room, follower.session);
    return followMembership(this.#of(room, follower.session.userId), follower);
  }

  /**
   * Says that this session has taken a lease on the membership: what the user follows here holds it too.
   *
   * @returns the member as it is then; undefined when nothing here holds it
   */
  async leased(room: RoomName, userId: string, sessionId: string): Promise<MemberRecord | undefined> {
    this.#departures.forget(room, { userId, id: sessionId });
    const membership = this.#held.get(membershipKey(room, userId));
    if (membership === undefined) return undefined;
    const { leavers } = membership.holds;
    for (const session of leavers) if (session.id === sessionId) leavers.delete(session);
    return await membership.inTurn(() => membership.keep());
  }

  /**
   * Ends the holds of these sessions, or all of the user's holds on this node.
   *
   * The membership ends at once when no hold is left.
   *
   * @returns whether the user was in the room
   */
  async leave(userId: string, leaving: Leaving, room: RoomName): Promise<boolean> {
    const { presence } = this.#deps;
    const { sessionId, reason = "LEFT" } = leaving;
    this.#departures.note(room, userId, sessionId);
    const left = encodeEvent({ kind: "left", userId, reason });
    const membership = this.#held.get(membershipKey(room, userId));
    if (membership === undefined) {
      const wasMember = await presence.member(room, userId) !== undefined;
      await presence.endLease(room, userId, sessionId, left);
      if (leaving.sessions !== "all") await this.#released(leaving.sessions, room);
      return wasMember;
    }
    const sessions = leavingOf(membership, leaving);
    release(membership, sessions);
    return await membership.inTurn(async () => {
      const wasMember = membership.entered || await presence.member(room, userId) !== undefined;
      await membership.exitUnlessHeld(reason);
      await presence.endLease(room, userId, sessionId, left);
      await this.#released(sessions, room);
      return wasMember;
    });
  }

  /** Ends a user's membership and what they follow of the room here. Whether there was a membership. */
  async remove(room: RoomName, userId: string, reason: string | null): Promise<boolean> {
    this.#departures.note(room, userId, null);
    const membership = this.#of(room, userId);
    const { sessions, followers } = membership.holds;
    release(membership, sessions);
    for (const follower of [...followers]) follower.remove(reason);
    return await membership.inTurn(async () => {
      const wasMember = await membership.remove();
      await this.#released(sessions, room);
      return wasMember;
    });
  }

  /** What this node holds of a user's memberships, or of everybody's, and what they follow. */
  held(userId: string | undefined): readonly HeldMembership[] {
    const all = [...this.#held.values()];
    return userId === undefined ? all : all.filter((membership) => membership.userId === userId);
  }

  /** Ends all holds of a session that has lost its last connection. */
  disconnected(session: Session, reason: ConnectionEnd): void {
    for (const room of session.rooms) {
      this.#held.get(membershipKey(room, session.userId))?.loseConnection(session, reason);
    }
  }

  /** Forgets a session that cannot be continued any more. */
  ended(session: Session): void {
    for (const room of [...session.rooms]) this.forget(session, room);
  }

  /** Whether a session that is continued is to join again: not a room that it has left since. */
  mayRejoin(session: Session, room: RoomName): boolean {
    return !this.#departures.has(room, session);
  }

  /** Forgets that a session has joined a room, if it only waits to do so again. */
  forget(session: Session, room: RoomName): void {
    const membership = this.#held.get(membershipKey(room, session.userId));
    if (membership?.holds.isJoinedBy(session)) return;
    session.rooms.delete(room);
    if (membership?.holds.waiting.delete(session)) membership.settle();
  }

  /** Forgets everything. The engine ends this node's memberships when it closes. */
  close(): void {
    this.#closed = true;
    for (const membership of this.#held.values()) membership.endGrace();
    this.#held.clear();
  }

  async #released(sessions: Iterable<Session>, room: RoomName): Promise<void> {
    for (const session of sessions) await this.#deps.onReleased(session, room);
  }

  #of(room: RoomName, userId: string): HeldMembership {
    const key = membershipKey(room, userId);
    let membership = this.#held.get(key);
    if (membership === undefined) {
      membership = new HeldMembership(room, userId, this.#heldDeps);
      this.#held.set(key, membership);
    }
    return membership;
  }

  #drop(membership: HeldMembership): void {
    const key = membershipKey(membership.room, membership.userId);
    if (this.#held.get(key) === membership) this.#held.delete(key);
  }
}

/** Ends what these sessions hold, because they say so. */
function release({ holds, room }: HeldMembership, sessions: Iterable<Session>): void {
  for (const session of sessions) {
    holds.release(session);
    session.rooms.delete(room);
  }
}

/** Those who leave: also a session of that name which waits to be continued, or it would come back to the room. */
function leavingOf(
  { holds: { sessions: known } }: HeldMembership,
  { sessions, sessionId }: Leaving,
): ReadonlySet<Session> {
  if (sessions === "all") return known;
  return new Set([...sessions, ...[...known].filter(({ id }) => id === sessionId)]);
}

function membershipKey(room: RoomName, userId: string): string {
  return `${room}\0${userId}`;
}
