import type { MemberMark, MemberPage, MemberRange, MemberRecord, MemberShare, MemberState } from "../core/presence.ts";
import type { RoomName } from "../core/room_name.ts";

/** One user in one room, with all that holds the membership. */
export class MemoryMember implements MemberMark {
  readonly room: RoomName;
  readonly userId: string;
  state: MemberState | null = null;
  lease: HeldLease | undefined;
  /** By node: whatever object stands for the node. */
  readonly #shares = new Map<NodeShares, MemberShare>();

  constructor({ room, userId }: { room: RoomName; userId: string }, readonly joinedAtMs: number) {
    this.room = room;
    this.userId = userId;
  }

  /** Whether a node or a lease holds the membership. */
  get isHeld(): boolean {
    return this.#shares.size > 0 || this.lease !== undefined;
  }

  /** Whether this node holds it, and nothing else does. */
  isHeldOnlyBy(node: NodeShares): boolean {
    return this.#shares.size === 1 && this.#shares.has(node) && this.lease === undefined;
  }

  setShare(node: NodeShares, share: MemberShare): void {
    this.#shares.set(node, share);
    node.add(this);
  }

  deleteShare(node: NodeShares): void {
    this.#shares.delete(node);
    node.delete(this);
  }

  /** Takes it from everything that holds it. */
  release(): void {
    for (const node of [...this.#shares.keys()]) this.deleteShare(node);
    this.lease = undefined;
  }

  record(): MemberRecord {
    let sessionCount = 0;
    for (const share of this.#shares.values()) sessionCount += share.sessionCount;
    return {
      userId: this.userId,
      joinedAtMs: this.joinedAtMs,
      sessionCount,
      state: this.state?.json ?? null,
      leasedUntilMs: this.lease?.untilMs ?? null,
    };
  }
}

/** The memberships one node has a share in. Whoever made it tells the presence when the node goes. */
export type NodeShares = Set<MemoryMember>;

/** A lease as it is kept. */
export interface HeldLease {
  readonly sessionId: string;
  /** When it runs out, by the wall clock, as clients are told. */
  readonly untilMs: number;
  /** The same in steady milliseconds, which is what counts. */
  readonly untilSteadyMs: number;
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

  page({ after, limit }: MemberRange): Omit<MemberPage, "position"> {
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
