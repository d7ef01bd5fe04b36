import type { MemberMark, MemberPage, MemberRange, MemberRecord, MemberShare } from "../core/engine.ts";
import type { RoomName } from "../core/room_name.ts";

/** One user in one room, with what each node adds to it. */
export class MemoryMember implements MemberMark {
  readonly room: RoomName;
  readonly userId: string;
  /** By node: whatever object stands for the node. */
  readonly #shares = new Map<object, MemberShare>();

  constructor({ room, userId }: { room: RoomName; userId: string }, readonly joinedAtMs: number) {
    this.room = room;
    this.userId = userId;
  }

  /** How many nodes hold the membership. */
  get shareCount(): number {
    return this.#shares.size;
  }

  setShare(node: object, share: MemberShare): void {
    this.#shares.set(node, share);
  }

  deleteShare(node: object): void {
    this.#shares.delete(node);
  }

  record(): MemberRecord {
    let sessionCount = 0;
    for (const share of this.#shares.values()) sessionCount += share.sessionCount;
    return { userId: this.userId, joinedAtMs: this.joinedAtMs, sessionCount };
  }
}

/**
 * The members of one room, in the order of joining.
 *
 * Kept sorted: who joins goes to the end or close to it, a page is found by bisection,
 * and who leaves costs one move of what comes after.
 */
export class RoomMembers {
  readonly #byUser = new Map<string, MemoryMember>();
  readonly #inOrder: MemoryMember[] = [];

  get size(): number {
    return this.#byUser.size;
  }

  get(userId: string): MemoryMember | undefined {
    return this.#byUser.get(userId);
  }

  add(member: MemoryMember): void {
    this.#byUser.set(member.userId, member);
    this.#inOrder.splice(this.#countUpTo(member), 0, member);
  }

  remove(member: MemoryMember): void {
    this.#byUser.delete(member.userId);
    this.#inOrder.splice(this.#countUpTo(member) - 1, 1);
  }

  page({ after, limit }: MemberRange): MemberPage {
    const start = after === undefined ? 0 : this.#countUpTo(after);
    const members = this.#inOrder.slice(start, start + limit).map((member) => member.record());
    const total = this.#inOrder.length;
    return { members, total, hasMore: start + members.length < total };
  }

  /** How many members stand at or before a mark, whether or not its own member is still there. */
  #countUpTo(mark: MemberMark): number {
    let low = 0;
    let high = this.#inOrder.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareMarks(this.#inOrder[middle]!, mark) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareMarks(a: MemberMark, b: MemberMark): number {
  if (a.joinedAtMs !== b.joinedAtMs) return a.joinedAtMs - b.joinedAtMs;
  return a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0;
}
