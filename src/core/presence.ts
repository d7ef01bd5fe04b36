import type { Position } from "./position.ts";
import type { RoomName } from "./room_name.ts";

/**
 * Who is in which room, each user once, over all nodes.
 *
 * A membership is held by nodes, each with a share in it, and by a lease; it ends with
 * the last of them. Each change and its event in the room's event stream are one atomic
 * step.
 */
export interface Presence {
  /**
   * Says that this node holds the user's membership, or changes what it says of it.
   *
   * When nothing held it before, the membership begins.
   */
  enter(room: RoomName, userId: string, share: MemberShare, beginning: MemberBeginning): Promise<Entered>;
  /** The same, but begins nothing: undefined when the user is no member. */
  keep(room: RoomName, userId: string, share: MemberShare): Promise<MemberRecord | undefined>;
  /** Says that this node no longer holds it. When nothing else does, `event` is appended. Exiting twice is nothing. */
  exit(room: RoomName, userId: string, event: string): Promise<Exited>;
  /**
   * Holds the membership for a time, whatever becomes of the node; the last lease counts.
   *
   * When it runs out and nothing else holds the membership, the engine itself appends
   * the event of a leave with the reason `TIMEOUT`.
   */
  lease(room: RoomName, userId: string, lease: MemberLease, beginning: MemberBeginning): Promise<Entered>;
  /** Ends the lease, if there is one and it is this session's; null: whosever it is. Otherwise as `exit`. */
  endLease(room: RoomName, userId: string, sessionId: string | null, event: string): Promise<Exited>;
  /** Ends the membership, whatever holds it. `last` is whether there was one. */
  remove(room: RoomName, userId: string, event: string): Promise<Exited>;
  /**
   * Sets a member's state, the last one counts, and delivers `event` without keeping it.
   *
   * With `setBy` only a state that this session has set. False, and nothing done, when
   * it is another's or the user is no member.
   */
  setState(room: RoomName, userId: string, state: MemberState | null, change: StateChange): Promise<boolean>;
  /** One member, or undefined. */
  member(room: RoomName, userId: string): Promise<MemberRecord | undefined>;
  /** Members in the order of joining, after the given user when there is one. */
  members(room: RoomName, range: MemberRange): Promise<MemberPage>;
  /** The rooms a user is in, sorted by name. */
  roomsOf(userId: string): Promise<readonly RoomName[]>;
}

/** What one node adds to a membership. */
export interface MemberShare {
  /** Sessions on this node that hold it. */
  readonly sessionCount: number;
}

/** What a membership begins with, when it does. */
export interface MemberBeginning {
  /** Appended to the room's event stream. */
  readonly event: string;
  readonly state: MemberState | null;
}

/** A membership's hold for a time. */
export interface MemberLease {
  readonly ttlMs: number;
  /** The session that may end it. */
  readonly sessionId: string;
}

/** What a member says of itself. */
export interface MemberState {
  /** Any JSON value. */
  readonly json: string;
  /** The session that set it, when it is to go with that session. */
  readonly setBy: string | null;
}

/** How a state is set. */
export interface StateChange {
  readonly event: string;
  /** Only in place of one that this session has set. */
  readonly setBy?: string;
}

/** One user in one room, added up over all nodes. */
export interface MemberRecord {
  readonly userId: string;
  /** Milliseconds since the Unix epoch. */
  readonly joinedAtMs: number;
  readonly sessionCount: number;
  /** The member's state as JSON; null when none is set. */
  readonly state: string | null;
  /** When its lease runs out, in milliseconds since the Unix epoch; null without one. */
  readonly leasedUntilMs: number | null;
}

/** The answer to {@linkcode Presence.enter}. */
export interface Entered {
  /** True when nothing held the membership before. */
  readonly first: boolean;
  readonly member: MemberRecord;
}

/** The answer to {@linkcode Presence.exit}. */
export interface Exited {
  /** True when this ended the membership. */
  readonly last: boolean;
}

/** Which members to list. */
export interface MemberRange {
  /** The user the page begins after; absent: from the first. */
  readonly after?: MemberMark;
  readonly limit: number;
}

/** A place in the list of members that survives that member's leaving. */
export interface MemberMark {
  readonly joinedAtMs: number;
  readonly userId: string;
}

/** One page of members. */
export interface MemberPage {
  readonly members: readonly MemberRecord[];
  /** How many there are in all. */
  readonly total: number;
  readonly hasMore: boolean;
  /** Where the room's event stream stood when the page was taken, as one step: what follows are the changes since. */
  readonly position: Position;
}
