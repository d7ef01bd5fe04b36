import { assertEquals, assertGreater } from "@std/assert";
import type { Engine } from "../../src/core/engine.ts";
import type { MemberLease } from "../../src/core/presence.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import type { RegisterTest } from "./engine_suite.ts";
import { beginning, enter, eventsIn, exit, left, lobby, share } from "./presence_steps.ts";

const TTL_MS = 2_000;
/** An engine may see so much later that a lease has run out. */
const LATE_MS = 1_000;

/** l1 to l14: what the presence promises of leases. */
export function registerLeaseTests(test: RegisterTest): void {
  test("l1", "a lease begins a membership with its event, and no session holds it", async ({ nodes: [one, two] }) => {
    const { first, member } = await lease(one, "ann");
    assertEquals([first, member.sessionCount, member.leasedUntilMs], [true, 0, member.joinedAtMs + TTL_MS]);
    assertEquals(await two.presence.member(lobby, "ann"), member);
    assertEquals([await two.presence.roomsOf("ann"), await eventsIn(two)], [[lobby], ["joined ann"]]);
  });

  test("l2", "G7 a lease runs out by itself: LEFT TIMEOUT, once, on both nodes", async ({ nodes, passTime }) => {
    const collectors = [new EntryCollector(), new EntryCollector()];
    for (const [at, { listener }] of collectors.entries()) await nodes[at]!.log.subscribe(eventsOf(lobby), listener);
    await lease(nodes[0], "ann");
    await passTime(TTL_MS - 1);
    const before = await nodes[1].presence.member(lobby, "ann");
    await passTime(1 + LATE_MS);
    for (const collector of collectors) await collector.until(2);
    await passTime(TTL_MS + LATE_MS);
    assertEquals(before?.userId, "ann");
    assertEquals(await nodes[1].presence.member(lobby, "ann"), undefined);
    assertEquals(await eventsIn(nodes[1]), ["joined ann", "left ann TIMEOUT"]);
    assertEquals(collectors.map(({ offsets }) => offsets), [[1, 2], [1, 2]]);
  });

  test("l3", "G7 a lease taken again runs its whole time from then on", async ({ nodes: [one, two], passTime }) => {
    const { member: before } = await lease(one, "ann");
    await passTime(TTL_MS - 500);
    const { first, member } = await lease(two, "ann");
    await passTime(TTL_MS - 500);
    const during = await eventsIn(one);
    await passTime(500 + LATE_MS);
    assertEquals([first, member.joinedAtMs, during], [false, before.joinedAtMs, ["joined ann"]]);
    assertGreater(member.leasedUntilMs!, before.leasedUntilMs!);
    assertEquals(await eventsIn(one), ["joined ann", "left ann TIMEOUT"]);
  });

  test("l4", "G7 a lease that runs out while a node holds it is no event", async ({ nodes: [one, two], passTime }) => {
    await lease(one, "ann");
    const { first } = await enter(two, "ann");
    const kept = await one.presence.keep(lobby, "ann", share);
    await passTime(TTL_MS + LATE_MS);
    const member = await one.presence.member(lobby, "ann");
    const exited = [await exit(one, "ann"), await exit(two, "ann")];
    assertEquals([first, kept?.sessionCount, member?.sessionCount, member?.leasedUntilMs], [false, 2, 2, null]);
    assertEquals(exited.map(({ last }) => last), [false, true]);
    assertEquals(await eventsIn(one), ["joined ann", "left ann LEFT"]);
  });

  test("l5", "G7 a lease holds the membership while no node does", async ({ nodes: [one, two], passTime }) => {
    await enter(one, "ann");
    const { first, member } = await lease(two, "ann");
    const { last } = await exit(one, "ann");
    const alone = await two.presence.member(lobby, "ann");
    await passTime(TTL_MS + LATE_MS);
    assertEquals([first, member.sessionCount, last, alone?.sessionCount], [false, 1, false, 0]);
    assertEquals(await eventsIn(two), ["joined ann", "left ann TIMEOUT"]);
  });

  test("l6", "G7 a lease outlives the node that took it", async ({ nodes: [one, two], passTime }) => {
    await lease(one, "ann");
    await enter(one, "bob");
    await lease(one, "bob");
    await one.close();
    const { members } = await two.presence.members(lobby, { limit: 10 });
    await passTime(TTL_MS + LATE_MS);
    assertEquals(members.map(({ userId, sessionCount }) => [userId, sessionCount]), [["ann", 0], ["bob", 0]]);
    assertEquals((await eventsIn(two)).toSorted(), [
      "joined ann",
      "joined bob",
      "left ann TIMEOUT",
      "left bob TIMEOUT",
    ]);
  });

  test("l7", "only the session that took a lease ends it, once", async ({ nodes: [one, two], passTime }) => {
    await lease(one, "ann");
    const ended = [await endLease(two, "another"), await endLease(two, "s"), await endLease(one, "s")];
    await passTime(TTL_MS + LATE_MS);
    assertEquals(ended.map(({ last }) => last), [false, true, false]);
    assertEquals(await eventsIn(one), ["joined ann", "left ann LEFT"]);
  });

  test("l8", "a lease is the last session's that took it", async ({ nodes: [one, two] }) => {
    await lease(one, "ann");
    await lease(two, "ann", { ttlMs: TTL_MS, sessionId: "t" });
    const ended = [await endLease(one, "s"), await endLease(one, "t")];
    assertEquals(ended.map(({ last }) => last), [false, true]);
  });

  test("l9", "whosever lease it is ends when no session is named", async ({ nodes: [one, two] }) => {
    await lease(one, "ann");
    assertEquals([await endLease(two, null), await endLease(two, null)], [{ last: true }, { last: false }]);
    assertEquals(await eventsIn(one), ["joined ann", "left ann LEFT"]);
  });

  test("l10", "G7 ending a lease ends no membership that a node holds", async ({ nodes: [one, two] }) => {
    await lease(one, "ann");
    await enter(two, "ann");
    const { last } = await endLease(one, "s");
    const member = await one.presence.member(lobby, "ann");
    assertEquals([last, member?.leasedUntilMs, await eventsIn(one)], [false, null, ["joined ann"]]);
    assertEquals(await exit(two, "ann"), { last: true });
  });

  test("l11", "ending a lease that is none is nothing", async ({ nodes: [one] }) => {
    const never = await endLease(one, null);
    await enter(one, "ann");
    const unleased = [await endLease(one, "s"), await endLease(one, null)];
    assertEquals([never, ...unleased].map(({ last }) => last), [false, false, false]);
    assertEquals(await eventsIn(one), ["joined ann"]);
  });

  test(
    "l12",
    "G7 remove ends a lease, and its time brings no second leave",
    async ({ nodes: [one, two], passTime }) => {
      await lease(one, "ann");
      await enter(one, "ann");
      const { last } = await two.presence.remove(lobby, "ann", left("ann"));
      const gone = await one.presence.member(lobby, "ann");
      await passTime(TTL_MS + LATE_MS);
      await one.close();
      assertEquals([last, gone], [true, undefined]);
      assertEquals(await eventsIn(two), ["joined ann", "left ann LEFT"]);
    },
  );

  test("l13", "G7 each of many leases ends at its own time, and once", async ({ nodes, passTime }) => {
    const held = { ttlMs: 3_000, sessionId: "s" };
    for (let at = 0; at < 10; at++) await lease(nodes[at % 2]!, `early-${at}`, held);
    await passTime(2_000);
    for (let at = 0; at < 10; at++) await lease(nodes[at % 2]!, `late-${at}`, held);
    const totals: number[] = [];
    for (const ms of [500, 2_000, 2_000]) {
      await passTime(ms);
      totals.push((await nodes[0].presence.members(lobby, { limit: 1 })).total);
    }
    const left = (await eventsIn(nodes[0])).filter((event) => event.endsWith("TIMEOUT"));
    assertEquals(totals, [20, 10, 0]);
    assertEquals([left.length, new Set(left).size], [20, 20]);
  });

  test("l14", "a lease taken again holds up nobody else's", async ({ nodes: [one], passTime }) => {
    await lease(one, "ann");
    await lease(one, "bob");
    await passTime(TTL_MS - 1);
    await lease(one, "ann");
    await passTime(1 + LATE_MS);
    assertEquals((await eventsIn(one)).slice(2), ["left bob TIMEOUT"]);
    await passTime(TTL_MS);
    assertEquals((await eventsIn(one)).slice(2), ["left bob TIMEOUT", "left ann TIMEOUT"]);
  });
}

function lease(node: Engine, userId: string, held: MemberLease = { ttlMs: TTL_MS, sessionId: "s" }) {
  return node.presence.lease(lobby, userId, held, beginning(userId));
}

function endLease(node: Engine, sessionId: string | null) {
  return node.presence.endLease(lobby, "ann", sessionId, left("ann"));
}
