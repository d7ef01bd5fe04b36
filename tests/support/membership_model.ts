import type { FollowEnd } from "../../src/core/follow_membership.ts";
import type { LeaveReason } from "../../src/core/event.ts";
import type { ConnectionEnd } from "../../src/core/sessions.ts";

/** The times the model goes by, in milliseconds. */
export interface MembershipTimes {
  readonly leaveGraceMs: number;
  readonly lingerMs: number;
  readonly leaseMs: number;
}

/** What follows the room, in the model. */
export interface ModelFollower {
  readonly session: string;
  readonly joins: boolean;
}

/**
 * What the design says of one user's membership of one room, without engine and promises.
 *
 * Sessions go by any names; one that has ended never comes back under its own.
 */
export class MembershipModel {
  /** What readers hear of ann, in words. */
  readonly events: string[] = [];
  isMember = false;
  readonly #times: MembershipTimes;
  readonly #joined = new Set<string>();
  /** Sessions that wait to be continued, each with its end. */
  readonly #waiting = new Map<string, number>();
  readonly #followers = new Set<ModelFollower>();
  readonly #left = new Set<string>();
  #lease: { readonly session: string; readonly untilMs: number } | undefined;
  #grace: { readonly reason: LeaveReason; readonly untilMs: number } | undefined;
  #nowMs = 0;

  constructor(times: MembershipTimes) {
    this.#times = times;
  }

  /** Distinct sessions that hold the membership. */
  get holders(): ReadonlySet<string> {
    const follows = [...this.#followers].filter(({ session, joins }) =>
      (joins || this.isMember) && !this.#left.has(session)
    );
    return new Set([...this.#joined, ...follows.map(({ session }) => session)]);
  }

  /** Whether the session has joined, and has no connection now. */
  isWaiting(session: string): boolean {
    return this.#waiting.has(session);
  }

  join(session: string): void {
    this.#left.delete(session);
    this.#waiting.delete(session);
    this.#joined.add(session);
    this.#begin();
  }

  /** Null instead of the lease's session: whosever it is. */
  leave(sessions: readonly string[] | "all", leaseSession: string | null): void {
    const wasHeldHere = this.holders.size > 0 || this.#grace !== undefined;
    const followed = [...this.#followers].map(({ session }) => session);
    const leaving = sessions === "all" ? [...this.#joined, ...this.#waiting.keys(), ...followed] : sessions;
    for (const session of leaving) {
      this.#joined.delete(session);
      this.#waiting.delete(session);
      if (this.#followers.size > 0) this.#left.add(session);
    }
    if (this.holders.size === 0) this.#afterLastSaidSo(wasHeldHere);
    if (leaseSession === null || this.#lease?.session === leaseSession) this.#lease = undefined;
    this.#endUnheld("LEFT");
  }

  follow(follower: ModelFollower): void {
    if (follower.joins) this.#left.delete(follower.session);
    this.#followers.add(follower);
    if (follower.joins) this.#begin();
    else if (this.holders.size > 0) this.#grace = undefined;
  }

  unfollow(follower: ModelFollower, end: FollowEnd): void {
    if (!this.#followers.delete(follower)) return;
    const hadLeft = this.#left.has(follower.session);
    if (this.#followers.size === 0) this.#left.clear();
    if (!this.isMember || hadLeft || this.holders.size > 0) return;
    if (end === "COMPLETED" && follower.joins) this.#afterLastSaidSo(true);
    else this.#wait(end === "COMPLETED" ? "DISCONNECTED" : end);
    this.#endUnheld("LEFT");
  }

  /** The session has lost its last connection. */
  disconnect(session: string, reason: ConnectionEnd): void {
    if (!this.#joined.delete(session)) return;
    this.#waiting.set(session, this.#nowMs + this.#times.lingerMs);
    if (this.holders.size === 0) this.#wait(reason);
  }

  /** `named` is the session of that id, when it is there: it has joined again. */
  lease(session: string, named: string | undefined): void {
    this.#lease = { session, untilMs: this.#nowMs + this.#times.leaseMs };
    if (named !== undefined) this.#left.delete(named);
    const hasGrace = this.#grace;
    this.#begin();
    if (this.holders.size === 0) this.#grace = hasGrace;
  }

  remove(): void {
    this.#joined.clear();
    this.#waiting.clear();
    this.#followers.clear();
    this.#left.clear();
    this.#lease = undefined;
    this.#grace = undefined;
    this.#endUnheld("REMOVED");
  }

  /** Leases run out first, as the engine ends them. */
  pass(ms: number): void {
    this.#nowMs += ms;
    if (this.#lease !== undefined && this.#lease.untilMs <= this.#nowMs) this.#lease = undefined;
    this.#endUnheld("TIMEOUT");
    for (const [session, untilMs] of this.#waiting) if (untilMs <= this.#nowMs) this.#waiting.delete(session);
    const grace = this.#grace;
    if (grace === undefined || grace.untilMs > this.#nowMs) return;
    this.#grace = undefined;
    this.#endUnheld(grace.reason);
  }

  #begin(): void {
    this.#grace = undefined;
    if (this.isMember) return;
    this.isMember = true;
    this.events.push("joined ann");
  }

  /** The last hold here has been ended on purpose: at once, unless a session may come back. */
  #afterLastSaidSo(wasHeldHere: boolean): void {
    if (this.#waiting.size === 0 || !wasHeldHere) this.#grace = undefined;
    else if (this.#grace === undefined) this.#wait("DISCONNECTED");
  }

  #wait(reason: LeaveReason): void {
    this.#grace = { reason, untilMs: this.#nowMs + this.#times.leaveGraceMs };
  }

  #endUnheld(reason: LeaveReason): void {
    if (!this.isMember || this.holders.size > 0 || this.#grace !== undefined || this.#lease !== undefined) return;
    this.isMember = false;
    this.events.push(`left ann ${reason}`);
  }
}
