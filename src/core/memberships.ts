import type { Cancel, Clock } from "./clock.ts";
import type { MemberRecord, Presence } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import { encodeEvent, type LeaveReason } from "./event.ts";
import type { RoomName } from "./room_name.ts";
import type { ConnectionEnd, Membership, Session } from "./sessions.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** What the memberships need. */
export interface MembershipsDeps {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** How long after its last hold a membership ends, in milliseconds. */
  readonly leaveGraceMs: number;
  /** Rooms one session may hold. */
  readonly maxRoomsPerSession: number;
}

/** How long until an exit that the engine refused is tried again. */
const EXIT_RETRY_MS = 1_000;

/**
 * The memberships this node holds, and what holds each.
 *
 * A membership belongs to the user and is held by sessions. It begins with the first
 * hold; it ends at once when the last holder says so, and after a grace when the last
 * holder only lost its connection, so that a reconnect is not a leave. The engine hears
 * of a membership only when it begins, changes and ends, one call after the other.
 */
export class Memberships {
  readonly #deps: MembershipsDeps;
  readonly #held = new Map<string, HeldMembership>();
  #closed = false;

  constructor(deps: MembershipsDeps) {
    this.#deps = deps;
  }

  /** How many memberships this node holds. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * Makes the session hold its user's membership, beginning it when there is none.
   *
   * @throws {RealtimeError} `ROOM_LIMIT` when the session holds as many as it may;
   * otherwise as the engine's presence does. Then the session holds no more than before.
   */
  async join(session: Session, room: RoomName): Promise<MemberRecord> {
    const membership = this.#of(room, session.userId);
    const alreadyHeld = membership.holders.has(session);
    const { maxRoomsPerSession } = this.#deps;
    if (!alreadyHeld && session.memberships.size >= maxRoomsPerSession) {
      this.#settle(membership);
      throw new RealtimeError(
        "ROOM_LIMIT",
        `Cannot join "${room}": this session is in ${maxRoomsPerSession} rooms already, the most it may be in`,
        { limit: maxRoomsPerSession },
      );
    }
    membership.cancelGrace?.();
    membership.cancelGrace = undefined;
    membership.holders.add(session);
    session.memberships.add(membership);
    return await membership.inTurn(async () => {
      let member: MemberRecord;
      try {
        member = await this.#enter(membership);
      } catch (error) {
        if (!alreadyHeld) this.#release(membership, session);
        this.#settle(membership);
        throw error;
      }
      // A session that lost its last connection before it was made a holder is not told to us again.
      if (session.connections === 0) this.disconnected(session, "DISCONNECTED");
      this.#settle(membership);
      return member;
    });
  }

  /**
   * Ends the holds of these sessions, or all of the user's holds on this node.
   *
   * The membership ends at once when no hold is left.
   *
   * @returns whether the user was in the room
   */
  async leave(userId: string, sessions: readonly Session[] | "all", room: RoomName): Promise<boolean> {
    const membership = this.#held.get(membershipKey(room, userId));
    if (membership === undefined) return await this.#deps.presence.member(room, userId) !== undefined;
    for (const holder of sessions === "all" ? [...membership.holders] : sessions) {
      this.#release(membership, holder);
    }
    return await membership.inTurn(async () => {
      const wasMember = membership.entered;
      if (membership.holders.size > 0) await this.#enter(membership);
      else await this.#exit(membership, "LEFT");
      return wasMember;
    });
  }

  /** Ends all holds of a session that has lost its last connection. */
  disconnected(session: Session, reason: ConnectionEnd): void {
    for (const membership of [...session.memberships] as HeldMembership[]) {
      this.#release(membership, session);
      if (membership.holders.size === 0) this.#beginGrace(membership, reason, this.#deps.leaveGraceMs);
      // Also when nobody is left: a member that is only waited for counts no session.
      this.#inBackground(membership, async () => {
        if (membership.entered) await this.#enter(membership);
      });
    }
  }

  /** Forgets everything. The engine ends this node's memberships when it closes. */
  close(): void {
    this.#closed = true;
    for (const membership of this.#held.values()) membership.cancelGrace?.();
    this.#held.clear();
  }

  #beginGrace(membership: HeldMembership, reason: LeaveReason, delayMs: number): void {
    if (this.#closed) return;
    membership.cancelGrace?.();
    membership.cancelGrace = this.#deps.clock.after(delayMs, () => {
      membership.cancelGrace = undefined;
      this.#inBackground(membership, async () => {
        if (membership.holders.size === 0) await this.#exit(membership, reason);
      });
    });
  }

  async #enter(membership: HeldMembership): Promise<MemberRecord> {
    const sessionCount = membership.holders.size;
    const { room, userId } = membership;
    const event = encodeEvent({ kind: "joined", userId, sessionCount });
    try {
      const { member } = await this.#deps.presence.enter(room, userId, { sessionCount }, event);
      membership.entered = true;
      return member;
    } catch (error) {
      // What may have happened must be undone once nobody holds it; exiting for nothing is nothing.
      const notExecuted = error instanceof RealtimeError && error.code === "ENGINE_UNAVAILABLE";
      if (!notExecuted) membership.entered = true;
      throw error;
    }
  }

  async #exit(membership: HeldMembership, reason: LeaveReason): Promise<void> {
    membership.cancelGrace?.();
    membership.cancelGrace = undefined;
    const { room, userId } = membership;
    if (membership.entered) {
      try {
        await this.#deps.presence.exit(room, userId, encodeEvent({ kind: "left", userId, reason }));
      } catch (error) {
        if (membership.holders.size === 0) this.#beginGrace(membership, reason, EXIT_RETRY_MS);
        throw error;
      }
      membership.entered = false;
    }
    this.#settle(membership);
  }

  #inBackground(membership: HeldMembership, step: () => Promise<unknown>): void {
    membership.inTurn(step).catch((error: unknown) => {
      const { room, userId } = membership;
      this.#deps.telemetry.record("error", "membership.failed", { room, userId, error: describeError(error) });
    });
  }

  #release(membership: HeldMembership, session: Session): void {
    membership.holders.delete(session);
    session.memberships.delete(membership);
  }

  #of(room: RoomName, userId: string): HeldMembership {
    const key = membershipKey(room, userId);
    let membership = this.#held.get(key);
    if (membership === undefined) {
      membership = new HeldMembership(room, userId);
      this.#held.set(key, membership);
    }
    return membership;
  }

  /** Sees to it that a membership nobody holds ends: in a while if the engine knows of it, else now. */
  #settle(membership: HeldMembership): void {
    if (membership.holders.size > 0 || membership.cancelGrace !== undefined) return;
    if (membership.entered) return this.#beginGrace(membership, "DISCONNECTED", this.#deps.leaveGraceMs);
    const key = membershipKey(membership.room, membership.userId);
    if (this.#held.get(key) === membership) this.#held.delete(key);
  }
}

class HeldMembership implements Membership {
  readonly holders = new Set<Session>();
  /** Whether the engine has been told that this node holds it. */
  entered = false;
  cancelGrace: Cancel | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly room: RoomName, readonly userId: string) {}

  /** Runs one step after all earlier ones have settled: the engine hears of changes in their order. */
  inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step);
    // The failure belongs to whoever awaits `result`; the next step goes on regardless.
    this.#turn = result.catch(() => {});
    return result;
  }
}

function membershipKey(room: RoomName, userId: string): string {
  return `${room}\0${userId}`;
}
