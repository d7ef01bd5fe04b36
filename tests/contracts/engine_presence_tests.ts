import { assertEquals } from "@std/assert";
import type { Engine, MemberMark } from "../../src/core/engine.ts";
import { decodeEntry, encodeEvent } from "../../src/core/event.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import type { RegisterTest } from "./engine_suite.ts";

const lobby = parseRoomName("lobby");
const share = { sessionCount: 1 };

/** c30 to c36: what the presence promises. */
export function registerPresenceTests(test: RegisterTest): void {
  test("c30", "G7 only the first enter and the last exit say so, and are events", async ({ nodes: [one, two] }) => {
    const entered = [await enter(one, "ann"), await enter(two, "ann"), await enter(one, "ann")];
    const exited = [await exit(one, "ann"), await exit(two, "ann")];
    assertEquals(entered.map(({ first }) => first), [true, false, false]);
    assertEquals(exited.map(({ last }) => last), [false, true]);
    assertEquals(await eventsIn(one), ["joined ann", "left ann"]);
  });

  test(
    "c31",
    "G7 three sessions on two nodes are one join, one leave and one member",
    async ({ nodes: [one, two] }) => {
      await one.presence.enter(lobby, "ann", { sessionCount: 1 }, joined("ann"));
      await one.presence.enter(lobby, "ann", { sessionCount: 2 }, joined("ann"));
      const { member } = await two.presence.enter(lobby, "ann", share, joined("ann"));
      const page = await one.presence.members(lobby, { limit: 10 });
      await one.presence.enter(lobby, "ann", share, joined("ann"));
      const later = await two.presence.member(lobby, "ann");
      await exit(one, "ann");
      await exit(two, "ann");
      assertEquals([member.sessionCount, later?.sessionCount], [3, 2]);
      assertEquals(page, { members: [member], total: 1, hasMore: false });
      assertEquals(await eventsIn(two), ["joined ann", "left ann"]);
    },
  );

  test("c32", "exiting twice, or without having entered, is nothing", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    const never = await exit(two, "ann");
    const exited = [await exit(one, "ann"), await exit(one, "ann")];
    assertEquals([never.last, ...exited.map(({ last }) => last)], [false, true, false]);
    assertEquals(await one.presence.member(lobby, "ann"), undefined);
    assertEquals(await eventsIn(one), ["joined ann", "left ann"]);
  });

  test("c33", "G7 a node that closes ends its memberships, and nobody else's", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    await enter(one, "bob");
    await enter(two, "bob");
    await one.close();
    const { members } = await two.presence.members(lobby, { limit: 10 });
    assertEquals(members.map(({ userId, sessionCount }) => [userId, sessionCount]), [["bob", 1]]);
    assertEquals(await eventsIn(two), ["joined ann", "joined bob", "left ann"]);
    assertEquals(await two.presence.roomsOf("ann"), []);
  });

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
    const rest = await node.presence.members(lobby, { after: all[1]!, limit: 10 });
    assertEquals(rest, { members: [all[2]!], total: 2, hasMore: false });
  });

  test("c37", "G7 a list of members and the events after its cursor are the truth", async ({ nodes: [one, two] }) => {
    const changes = Array.from({ length: 60 }, async (_, at) => {
      await enter(at % 2 === 0 ? one : two, `user-${at}`);
      if (at % 3 === 0) await exit(at % 2 === 0 ? one : two, `user-${at}`);
    });
    const cursor = await two.log.top(eventsOf(lobby));
    const known = new Set((await two.presence.members(lobby, { limit: 100 })).members.map(({ userId }) => userId));
    await Promise.all(changes);
    const { entries } = await two.log.read(eventsOf(lobby), { after: cursor, limit: 1_000 });
    for (const { event } of entries.map((entry) => decodeEntry(eventsOf(lobby), entry))) {
      if (event.kind === "joined") known.add(event.userId);
      if (event.kind === "left") known.delete(event.userId);
    }
    const { members } = await one.presence.members(lobby, { limit: 100 });
    assertEquals([...known].sort(), members.map(({ userId }) => userId).sort());
  });

  test("c37b", "the rooms of a user are those it is in on any node, by name", async ({ nodes: [one, two] }) => {
    for (const [node, name] of [[one, "b"], [two, "c"], [two, "a"]] as const) {
      await node.presence.enter(parseRoomName(name), "ann", share, joined("ann"));
    }
    await two.presence.exit(parseRoomName("c"), "ann", left("ann"));
    assertEquals(await one.presence.roomsOf("ann"), ["a", "b"].map(parseRoomName));
    assertEquals(await one.presence.roomsOf("bob"), []);
  });
}

const joined = (userId: string): string => encodeEvent({ kind: "joined", userId, sessionCount: 1 });
const left = (userId: string): string => encodeEvent({ kind: "left", userId, reason: "LEFT" });

function enter(node: Engine, userId: string) {
  return node.presence.enter(lobby, userId, share, joined(userId));
}

function exit(node: Engine, userId: string) {
  return node.presence.exit(lobby, userId, left(userId));
}

async function eventsIn(node: Engine): Promise<string[]> {
  const stream = eventsOf(lobby);
  const { entries } = await node.log.read(stream, { limit: 100 });
  return entries.map((entry) => decodeEntry(stream, entry).event).map((event) =>
    event.kind === "message" ? "message" : `${event.kind} ${event.userId}`
  );
}

function byMark(a: MemberMark, b: MemberMark): number {
  return a.joinedAtMs - b.joinedAtMs || (a.userId < b.userId ? -1 : 1);
}
