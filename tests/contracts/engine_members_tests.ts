import { assertEquals, assertGreater } from "@std/assert";
import type { Engine } from "../../src/core/engine.ts";
import { decodeEntry } from "../../src/core/event.ts";
import type { MemberMark } from "../../src/core/presence.ts";
import type { Position } from "../../src/core/position.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import { seeded } from "../support/seeded.ts";
import type { RegisterTest } from "./engine_suite.ts";
import { beginning, enter, exit, left, lobby, share } from "./presence_steps.ts";

/** c35 to c37: what the lists of members promise, and the events beside them. */
export function registerMembersTests(test: RegisterTest): void {
  test("c35", "events are in one order without a hole, and follow their change", async ({ nodes: [one, two] }) => {
    const collector = new EntryCollector();
    await two.log.subscribe(eventsOf(lobby), collector.listener);
    await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      const node = at % 2 === 0 ? one : two;
      await enter(node, `user-${at}`);
      if (at % 3 === 0) await exit(node, `user-${at}`);
    }));
    await collector.until(67);
    assertEquals(collector.offsets, Array.from({ length: 67 }, (_, at) => at + 1));
    assertEquals((await one.presence.members(lobby, { limit: 100 })).total, 33);
  });

  test(
    "c36",
    "10,000 members are paged in the order of joining, once each",
    async ({ nodes: [one, two], passTime }) => {
      for (let at = 0; at < 10_000; at++) {
        if (at % 2_500 === 0) await passTime(1);
        await enter(at % 2 === 0 ? one : two, `user-${at}`);
      }
      const seen: MemberMark[] = [];
      let hasMore = true;
      while (hasMore) {
        const last = seen.at(-1);
        const page = await one.presence.members(lobby, { limit: 333, ...(last === undefined ? {} : { after: last }) });
        assertEquals(page.total, 10_000);
        seen.push(...page.members);
        hasMore = page.hasMore;
      }
      assertEquals(seen, seen.toSorted(byMark));
      assertEquals(new Set(seen.map(({ userId }) => userId)).size, 10_000);
    },
  );

  test("c36b", "a page goes on after a member that has left meanwhile", async ({ nodes: [node] }) => {
    for (const userId of ["ann", "bob", "cyd"]) await enter(node, userId);
    const all = (await node.presence.members(lobby, { limit: 10 })).members;
    await exit(node, all[1]!.userId);
    const { position: _position, ...rest } = await node.presence.members(lobby, { after: all[1]!, limit: 10 });
    assertEquals(rest, { members: [all[2]!], total: 2, hasMore: false });
  });

  test("c37", "G7 a list of members and the events after its position are the truth", async ({ nodes }) => {
    const random = seeded(20_261_123);
    const lists: Promise<MemberList>[] = [];
    await Promise.all(Array.from({ length: 40 }, async (_, at) => {
      for (let step = 0; step < 12; step++) {
        await change(nodes[Math.floor(random() * 2)]!, `user-${at}`, random());
        if (random() < 0.2) lists.push(takeList(nodes[Math.floor(random() * 2)]!));
      }
    }));
    const truth = await takeList(nodes[0]);
    assertGreater(lists.length, 50);
    for (const list of await Promise.all(lists)) {
      assertEquals(await foldEvents(nodes[1], list), truth.userIds, `from ${list.position.offset} on`);
    }
  });

  test("c37b", "the rooms of a user are those it is in on any node, by name", async ({ nodes: [one, two] }) => {
    for (const [node, name] of [[one, "b"], [two, "c"], [two, "a"]] as const) {
      await node.presence.enter(parseRoomName(name), "ann", share, beginning("ann"));
    }
    await two.presence.exit(parseRoomName("c"), "ann", left("ann"));
    assertEquals(await one.presence.roomsOf("ann"), [parseRoomName("a"), parseRoomName("b")]);
    assertEquals(await two.presence.roomsOf("bob"), []);
  });
}

/** Who was in the lobby, and where its events stood then. */
interface MemberList {
  readonly userIds: readonly string[];
  readonly position: Position;
}

async function takeList(node: Engine): Promise<MemberList> {
  const { members, position } = await node.presence.members(lobby, { limit: 100 });
  return { userIds: members.map(({ userId }) => userId).sort(), position };
}

/** What a list becomes by the events after it. Each of them must be a change of it. */
async function foldEvents(node: Engine, { userIds, position }: MemberList): Promise<readonly string[]> {
  const known = new Set(userIds);
  const { entries, reset } = await node.log.read(eventsOf(lobby), { after: position, limit: 1_000 });
  assertEquals(reset, null);
  for (const { event } of entries.map((entry) => decodeEntry(eventsOf(lobby), entry))) {
    if (event.kind === "joined") assertEquals(known.size, known.add(event.userId).size - 1);
    if (event.kind === "left") assertEquals(known.delete(event.userId), true);
  }
  return [...known].sort();
}

/** One of the changes of a membership; `choice` is from 0 to 1. */
async function change(node: Engine, userId: string, choice: number): Promise<void> {
  const { presence } = node;
  if (choice < 0.4) await enter(node, userId);
  else if (choice < 0.7) await exit(node, userId);
  else if (choice < 0.8) await presence.lease(lobby, userId, { ttlMs: 60_000, sessionId: "s" }, beginning(userId));
  else if (choice < 0.9) await presence.endLease(lobby, userId, null, left(userId));
  else await presence.remove(lobby, userId, left(userId));
}

function byMark(a: MemberMark, b: MemberMark): number {
  return a.joinedAtMs - b.joinedAtMs || (a.userId < b.userId ? -1 : 1);
}
