import type { Principal } from "./auth.ts";
import type { RealtimeError } from "./errors.ts";
import type { RoomName } from "./room_name.ts";
import type { Session } from "./sessions.ts";
import { SmallSet } from "./small_set.ts";

/** A live subscription on a room, which holds its user's membership once there is one. */
export interface Follower {
  readonly session: Session;
  /** Whose right it is that it goes by. */
  readonly principal: Principal;
  /** What it follows; null: what goes to everyone, which holds nothing. */
  readonly room: RoomName | null;
  /** Whether it also begins the membership, and completing it leaves the room. */
  readonly joins: boolean;
  /** Ends the subscription, because its user has been removed from the room. */
  readonly remove: (reason: string | null) => void;
  /** Ends it for another reason: its right is gone. */
  readonly end: (error: RealtimeError) => void;
}

/** A join that the engine has not answered yet. */
export interface Joining {
  readonly session: Session;
}

/**
 * What holds one user's membership of one room on this node.
 *
 * Sessions that joined hold it, and so does every live subscription of the user on the
 * room, but for those of a session that has left since.
 */
export class MembershipHolds {
  /** Sessions that joined and have a connection. */
  readonly joined = new SmallSet<Session>();
  /** Joins that hold it already and may still fail. One that its session has left is none any more. */
  readonly joining = new SmallSet<Joining>();
  /** Sessions that joined and wait to be continued: they hold nothing, and will again. */
  readonly waiting = new SmallSet<Session>();
  readonly followers = new SmallSet<Follower>();
  /** Those of them that hold nothing yet: a leave before them may be under way. */
  readonly arriving = new SmallSet<Follower>();
  /** Sessions that have left: what they follow holds nothing until they join again. */
  readonly leavers = new SmallSet<Session>();

  /** All sessions that hold it, may come to, or wait to. */
  get sessions(): ReadonlySet<Session> {
    const { joined, joining, waiting, followers } = this;
    return new Set([...joined, ...waiting, ...[...joining, ...followers].map(({ session }) => session)]);
  }

  /** Whether a subscription here would hold a membership that begins elsewhere. */
  get isFollowed(): boolean {
    for (const { session } of this.followers) if (!this.leavers.has(session)) return true;
    return false;
  }

  /** Whether nothing holds it, may come to, or waits to. A join under way counts as a step of the membership. */
  get isEmpty(): boolean {
    return this.joined.size === 0 && this.waiting.size === 0 && this.followers.size === 0;
  }

  /** The sessions that hold it: a subscription that did not join does so only once there is a membership. */
  holders(isMember: boolean): SmallSet<Session> {
    if (this.followers.size === 0 && this.joining.size === 0) return this.joined;
    const holders = new SmallSet<Session>();
    for (const session of this.joined) holders.add(session);
    for (const { session } of this.joining) holders.add(session);
    for (const follower of this.followers) {
      const { session, joins } = follower;
      if (this.leavers.has(session)) continue;
      if (joins || (isMember && !this.arriving.has(follower))) holders.add(session);
    }
    return holders;
  }

  /** Whether the session has joined, or is about to. */
  isJoinedBy(session: Session): boolean {
    return this.joined.has(session) || [...this.joining].some((one) => one.session === session);
  }

  /** Takes what the session holds by having joined. Whether there was something. */
  unjoin(session: Session): boolean {
    let wasJoined = this.joined.delete(session);
    for (const one of this.joining) if (one.session === session) wasJoined = this.joining.delete(one);
    return wasJoined;
  }

  /** Takes all that the session holds, because it says so. */
  release(session: Session): void {
    this.unjoin(session);
    this.waiting.delete(session);
    this.noteLeft(session);
  }

  /** What a session that has left follows holds nothing; one that has ended follows nothing. */
  noteLeft(session: Session): void {
    const { followers, leavers } = this;
    for (const leaver of leavers) if (leaver.ended) leavers.delete(leaver);
    if (followers.size > 0) leavers.add(session);
  }
}
