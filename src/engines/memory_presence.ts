import type { Clock } from "../core/clock.ts";
import type {
  Entered,
  Exited,
  MemberBeginning,
  MemberLease,
  MemberPage,
  MemberRange,
  MemberRecord,
  MemberShare,
  MemberState,
  StateChange,
} from "../core/presence.ts";
import { RealtimeError } from "../core/errors.ts";
import { encodeEvent, type LeaveReason } from "../core/event.ts";
import type { RoomName } from "../core/room_name.ts";
import { eventsOf } from "../core/stream.ts";
import type { MemoryLog } from "./memory_log.ts";
import { MemoryMember, type NodeShares, RoomMembers } from "./room_members.ts";

/** What the presence needs. */
export interface MemoryPresenceDeps {
  readonly clock: Clock;
  /** Steady milliseconds. */
  readonly now: () => number;
  readonly log: MemoryLog;
  /** Memberships of all rooms together. */
  readonly maxMembers: number;
}

/** Names one membership. */
export interface MemberKey {
  readonly room: RoomName;
  readonly userId: string;
}

/**
 * Who is in which room, over all handles of one core.
 *
 * The change comes first and its event right after, with nothing in between: a
 * listener that hears of a join finds the member, one that hears of a leave does not.
 */
export class MemoryPresence {
  readonly #deps: MemoryPresenceDeps;
  readonly #rooms = new Map<RoomName, RoomMembers>();
  readonly #roomsOfUser = new Map<string, Set<RoomName>>();
  /** Members with a lease, in the order of their last lease: all leases run equally long. */
  readonly #leased = new Set<MemoryMember>();
  #members = 0;

  constructor(deps: MemoryPresenceDeps) {
    this.#deps = deps;
  }

  /** How many rooms have a member. */
  get roomCount(): number {
    return this.#rooms.size;
  }

  /** How many members have a lease. */
  get leaseCount(): number {
    return this.#leased.size;
  }

  /** The rooms that have a member, in no order. */
  get rooms(): Iterable<RoomName> {
    return this.#rooms.keys();
  }

  /** As {@linkcode Presence.enter}, at once. */
  enter(node: NodeShares, key: MemberKey, share: MemberShare, beginning: MemberBeginning): Entered {
    return this.#begin(key, beginning, (member) => member.setShare(node, share));
  }

  /** As {@linkcode Presence.keep}, at once. */
  keep(node: NodeShares, key: MemberKey, share: MemberShare): MemberRecord | undefined {
    const member = this.#find(key);
    member?.setShare(node, share);
    return member?.record();
  }

  /** As {@linkcode Presence.exit}, at once. */
  exit(node: NodeShares, key: MemberKey, event: string): Exited {
    const member = this.#find(key);
    if (member === undefined || !node.has(member)) return { last: false };
    if (member.isHeldOnlyBy(node)) this.#deps.log.requireCapacity(eventsOf(key.room));
    member.deleteShare(node);
    return { last: this.#endUnheld(member, event) };
  }

  /** Ends all that a node holds: those who were nowhere else have lost their connection. */
  exitAll(node: NodeShares): void {
    for (const member of [...node]) {
      member.deleteShare(node);
      this.#endUnheld(member, leftEvent(member, "DISCONNECTED"));
    }
  }

  /** As {@linkcode Presence.lease}, at once. */
  lease(key: MemberKey, { ttlMs, sessionId }: MemberLease, beginning: MemberBeginning): Entered {
    const { clock, now } = this.#deps;
    return this.#begin(key, beginning, (member) => {
      member.lease = { sessionId, untilMs: clock.now() + ttlMs, untilSteadyMs: now() + ttlMs };
      // Taken out first: the order of the set is the order of leasing.
      this.#leased.delete(member);
      this.#leased.add(member);
    });
  }

  /** As {@linkcode Presence.endLease}, at once. */
  endLease(key: MemberKey, sessionId: string | null, event: string): Exited {
    const member = this.#find(key);
    if (member?.lease === undefined || (sessionId !== null && member.lease.sessionId !== sessionId)) {
      return { last: false };
    }
    this.#deps.log.requireCapacity(eventsOf(key.room));
    this.#dropLease(member);
    return { last: this.#endUnheld(member, event) };
  }

  /** As {@linkcode Presence.remove}, at once. */
  remove(key: MemberKey, event: string): Exited {
    const member = this.#find(key);
    if (member === undefined) return { last: false };
    this.#deps.log.requireCapacity(eventsOf(key.room));
    member.release();
    this.#leased.delete(member);
    return { last: this.#endUnheld(member, event) };
  }

  /** As {@linkcode Presence.setState}, at once. */
  setState(key: MemberKey, state: MemberState | null, { event, setBy }: StateChange): boolean {
    const member = this.#find(key);
    if (member === undefined || (setBy !== undefined && member.state?.setBy !== setBy)) return false;
    this.#deps.log.requireCapacity(eventsOf(key.room));
    member.state = state;
    this.#deps.log.deliver(eventsOf(key.room), event);
    return true;
  }

  /** As {@linkcode Presence.member}, at once. */
  member(key: MemberKey): MemberRecord | undefined {
    return this.#find(key)?.record();
  }

  /** As {@linkcode Presence.members}, at once. */
  members(room: RoomName, range: MemberRange): MemberPage {
    const page = this.#rooms.get(room)?.page(range) ?? { members: [], total: 0, hasMore: false };
    return { ...page, position: this.#deps.log.top(eventsOf(room)) };
  }

  /** As {@linkcode Presence.roomsOf}, at once. */
  roomsOf(userId: string): readonly RoomName[] {
    return [...this.#roomsOfUser.get(userId) ?? []].sort();
  }

  /** Ends the leases whose time has passed. Costs as much as it ends. */
  sweep(): void {
    const now = this.#deps.now();
    for (const member of this.#leased) {
      if (member.lease!.untilSteadyMs > now) return;
      this.#dropLease(member);
      this.#endUnheld(member, leftEvent(member, "TIMEOUT"));
    }
  }

  #find({ room, userId }: MemberKey): MemoryMember | undefined {
    return this.#rooms.get(room)?.get(userId);
  }

  #begin(key: MemberKey, { event, state }: MemberBeginning, hold: (member: MemoryMember) => void): Entered {
    const known = this.#find(key);
    if (known !== undefined) {
      hold(known);
      return { first: false, member: known.record() };
    }
    const { log, maxMembers } = this.#deps;
    if (this.#members >= maxMembers) {
      throw new RealtimeError("ROOM_LIMIT", `Cannot join "${key.room}": there are ${maxMembers} memberships already`, {
        limit: maxMembers,
      });
    }
    log.requireCapacity(eventsOf(key.room));
    const member = this.#add(key);
    member.state = state;
    hold(member);
    const record = member.record();
    log.append(eventsOf(key.room), event);
    return { first: true, member: record };
  }

  #add(key: MemberKey): MemoryMember {
    const { room, userId } = key;
    let members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, members = new RoomMembers());
    const member = new MemoryMember(key, this.#deps.clock.now());
    members.add(member);
    this.#members++;
    let rooms = this.#roomsOfUser.get(userId);
    if (rooms === undefined) this.#roomsOfUser.set(userId, rooms = new Set());
    rooms.add(room);
    return member;
  }

  #dropLease(member: MemoryMember): void {
    member.lease = undefined;
    this.#leased.delete(member);
  }

  /** @returns whether nothing held the membership any more, so that it has ended */
  #endUnheld(member: MemoryMember, event: string): boolean {
    if (member.isHeld) return false;
    this.#remove(member);
    this.#deps.log.append(eventsOf(member.room), event);
    return true;
  }

  #remove(member: MemoryMember): void {
    const { room, userId } = member;
    const members = this.#rooms.get(room);
    members?.remove(member);
    this.#members--;
    if (members?.size === 0) this.#rooms.delete(room);
    const rooms = this.#roomsOfUser.get(userId);
    rooms?.delete(room);
    if (rooms?.size === 0) this.#roomsOfUser.delete(userId);
  }
}

function leftEvent({ userId }: MemoryMember, reason: LeaveReason): string {
  return encodeEvent({ kind: "left", userId, reason });
}
