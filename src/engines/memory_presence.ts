import type { Clock } from "../core/clock.ts";
import type { Entered, Exited, MemberPage, MemberRange, MemberRecord, MemberShare } from "../core/engine.ts";
import { encodeEvent } from "../core/event.ts";
import type { RoomName } from "../core/room_name.ts";
import { eventsOf } from "../core/stream.ts";
import type { MemoryLog } from "./memory_log.ts";
import { MemoryMember, RoomMembers } from "./room_members.ts";

/** What the presence needs. */
export interface MemoryPresenceDeps {
  readonly clock: Clock;
  readonly log: MemoryLog;
}

/** Names one membership. */
export interface MemberKey {
  readonly room: RoomName;
  readonly userId: string;
}

/** The memberships one node has a share in. Whoever made it tells the presence when the node goes. */
export type NodeShares = Set<MemoryMember>;

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

  constructor(deps: MemoryPresenceDeps) {
    this.#deps = deps;
  }

  /** How many rooms have a member. */
  get roomCount(): number {
    return this.#rooms.size;
  }

  /** As {@linkcode Presence.enter}, at once. */
  enter(node: NodeShares, member: MemberKey, change: { share: MemberShare; event: string }): Entered {
    const { room, userId } = member;
    const known = this.#rooms.get(room)?.get(userId);
    if (known !== undefined) {
      known.setShare(node, change.share);
      node.add(known);
      return { first: false, member: known.record() };
    }
    this.#deps.log.requireCapacity(eventsOf(room));
    const entered = this.#add(room, userId);
    entered.setShare(node, change.share);
    node.add(entered);
    const record = entered.record();
    this.#deps.log.append(eventsOf(room), change.event);
    return { first: true, member: record };
  }

  /** As {@linkcode Presence.exit}, at once. */
  exit(node: NodeShares, { room, userId }: MemberKey, event: string): Exited {
    const member = this.#rooms.get(room)?.get(userId);
    if (member === undefined || !node.has(member)) return { last: false };
    if (member.shareCount === 1) this.#deps.log.requireCapacity(eventsOf(room));
    return { last: this.#end(node, member, event) };
  }

  /** Ends all that a node holds: those who were nowhere else have lost their connection. */
  exitAll(node: NodeShares): void {
    for (const member of node) {
      this.#end(node, member, encodeEvent({ kind: "left", userId: member.userId, reason: "DISCONNECTED" }));
    }
  }

  /** As {@linkcode Presence.member}, at once. */
  member({ room, userId }: MemberKey): MemberRecord | undefined {
    return this.#rooms.get(room)?.get(userId)?.record();
  }

  /** As {@linkcode Presence.members}, at once. */
  members(room: RoomName, range: MemberRange): MemberPage {
    return this.#rooms.get(room)?.page(range) ?? { members: [], total: 0, hasMore: false };
  }

  /** As {@linkcode Presence.roomsOf}, at once. */
  roomsOf(userId: string): readonly RoomName[] {
    return [...this.#roomsOfUser.get(userId) ?? []].sort();
  }

  #add(room: RoomName, userId: string): MemoryMember {
    let members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, members = new RoomMembers());
    const member = new MemoryMember({ room, userId }, this.#deps.clock.now());
    members.add(member);
    let rooms = this.#roomsOfUser.get(userId);
    if (rooms === undefined) this.#roomsOfUser.set(userId, rooms = new Set());
    rooms.add(room);
    return member;
  }

  /** @returns whether this ended the membership */
  #end(node: NodeShares, member: MemoryMember, event: string): boolean {
    node.delete(member);
    member.deleteShare(node);
    if (member.shareCount > 0) return false;
    this.#remove(member);
    this.#deps.log.append(eventsOf(member.room), event);
    return true;
  }

  #remove(member: MemoryMember): void {
    const { room, userId } = member;
    const members = this.#rooms.get(room);
    members?.remove(member);
    if (members?.size === 0) this.#rooms.delete(room);
    const rooms = this.#roomsOfUser.get(userId);
    rooms?.delete(room);
    if (rooms?.size === 0) this.#roomsOfUser.delete(userId);
  }
}
