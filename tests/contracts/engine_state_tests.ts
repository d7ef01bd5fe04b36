import { assertEquals } from "@std/assert";
import type { Engine } from "../../src/core/engine.ts";
import { decodeEntry, encodeEvent } from "../../src/core/event.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import { describeEvent } from "../support/describe_event.ts";
import type { RegisterTest } from "./engine_suite.ts";
import { beginning, enter, eventsIn, exit, left, lobby, share } from "./presence_steps.ts";

/** s1 to s10: what the presence promises of members' states. */
export function registerStateTests(test: RegisterTest): void {
  test("s1", "the last state set counts, whichever node sets it", async ({ nodes: [one, two] }) => {
    const { member: before } = await enter(one, "ann");
    const set = [await setState(one, "ann", `{"away":true}`), await setState(two, "ann", `["typing"]`)];
    const member = await one.presence.member(lobby, "ann");
    const { members } = await two.presence.members(lobby, { limit: 1 });
    assertEquals([set, before.state, member?.state], [[true, true], null, `["typing"]`]);
    assertEquals(members, [{ ...before, state: `["typing"]` }]);
  });

  test("s2", "a state of who is no member is refused, and delivered to nobody", async ({ nodes: [one, two] }) => {
    const collector = await collect(two);
    const never = await setState(one, "ann", "1");
    await enter(one, "ann");
    await exit(one, "ann");
    const noLonger = await setState(two, "ann", "2");
    await enter(one, "bob");
    await collector.until(3);
    assertEquals([never, noLonger], [false, false]);
    assertEquals(describeAll(collector), ["joined ann", "left ann LEFT", "joined bob"]);
  });

  test("s3", "a state can be set in place of one session's alone", async ({ nodes: [one, two] }) => {
    const collector = await collect(two);
    await enter(one, "ann");
    const withoutState = await dropState(one, "s");
    await setState(one, "ann", "1", "s");
    const another = await dropState(two, "t");
    const before = await one.presence.member(lobby, "ann");
    const own = await dropState(two, "s");
    await setState(one, "ann", "2");
    const nobodys = await dropState(one, "s");
    await collector.until(4);
    assertEquals([withoutState, another, own, nobodys], [false, false, true, false]);
    assertEquals([before?.state, (await two.presence.member(lobby, "ann"))?.state], ["1", "2"]);
    assertEquals(describeAll(collector), ["joined ann", "updated ann 1", "updated ann null", "updated ann 2"]);
  });

  test("s4", "G7 states reach both nodes once, in one order with joins and leaves", async ({ nodes: [one, two] }) => {
    const collectors = [await collect(one), await collect(two)];
    await enter(one, "ann");
    await setState(two, "ann", "1");
    await enter(two, "bob");
    await Promise.all([setState(one, "bob", "2"), setState(two, "bob", "3"), setState(one, "ann", "4")]);
    await exit(one, "ann");
    await setState(one, "bob", "5");
    for (const collector of collectors) await collector.until(8);
    const { state } = (await two.presence.member(lobby, "bob"))!;
    assertEquals(describeAll(collectors[1]!), describeAll(collectors[0]!));
    const described = describeAll(collectors[0]!);
    assertEquals(described.slice(0, 3), ["joined ann", "updated ann 1", "joined bob"]);
    assertEquals(described.slice(3, 6).sort(), ["updated ann 4", "updated bob 2", "updated bob 3"]);
    assertEquals(described.slice(6), ["left ann LEFT", `updated bob ${state}`]);
  });

  test("s5", "of states set at once the one delivered last is the member's", async ({ nodes }) => {
    const collector = await collect(nodes[0]);
    await enter(nodes[1], "ann");
    await Promise.all(Array.from({ length: 50 }, (_, at) => setState(nodes[at % 2]!, "ann", `${at}`)));
    await collector.until(51);
    const member = await nodes[1].presence.member(lobby, "ann");
    assertEquals(describeAll(collector).at(-1), `updated ann ${member?.state}`);
  });

  test("s6", "G5 a state is in no history and moves no position", async ({ nodes: [one, two] }) => {
    const collector = await collect(two);
    await enter(one, "ann");
    const before = await one.log.top(eventsOf(lobby));
    await setState(one, "ann", "1");
    const after = await two.log.top(eventsOf(lobby));
    const { position } = await two.presence.members(lobby, { limit: 1 });
    const page = await two.log.read(eventsOf(lobby), { after: before, limit: 10 });
    await exit(one, "ann");
    await collector.until(3);
    assertEquals([after, position, page.entries, page.top, page.reset], [before, before, [], before, null]);
    assertEquals(collector.entries.map(({ position: { offset }, transient }) => [offset, transient ?? false]), [
      [1, false],
      [1, true],
      [2, false],
    ]);
    assertEquals(collector.entries.map(({ previousTimeUs }) => previousTimeUs), [0, before.timeUs, before.timeUs]);
    assertEquals(await eventsIn(two), ["joined ann", "left ann LEFT"]);
  });

  test("s7", "a state goes with the member", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    await setState(one, "ann", "1", "s");
    await exit(one, "ann");
    const { member } = await enter(two, "ann");
    const removed = await setState(two, "ann", "2").then(() => two.presence.remove(lobby, "ann", left("ann")));
    const { member: again } = await enter(one, "ann");
    assertEquals([member.state, removed.last, again.state], [null, true, null]);
    assertEquals(await dropState(one, "s"), false);
  });

  test("s8", "a membership begins with its state, in the record from the first on", async ({ nodes: [one, two] }) => {
    const state = { json: "1", setBy: "s" };
    const entered = await one.presence.enter(lobby, "ann", share, beginning("ann", state));
    const leased = await one.presence.lease(lobby, "bob", { ttlMs: 60_000, sessionId: "s" }, beginning("bob", state));
    const { members } = await two.presence.members(lobby, { limit: 2 });
    assertEquals([entered.member.state, leased.member.state], ["1", "1"]);
    assertEquals(members.map((member) => member.state), ["1", "1"]);
    assertEquals([await dropState(two, "t"), await dropState(two, "s")], [false, true]);
  });

  test("s9", "a state to begin with changes no membership that is there", async ({ nodes: [one, two] }) => {
    const state = { json: "2", setBy: "t" };
    await one.presence.enter(lobby, "ann", share, beginning("ann", { json: "1", setBy: "s" }));
    const entered = await two.presence.enter(lobby, "ann", share, beginning("ann", state));
    const leased = await two.presence.lease(lobby, "ann", { ttlMs: 60_000, sessionId: "t" }, beginning("ann", state));
    assertEquals([entered.member.state, leased.member.state, await dropState(two, "t")], ["1", "1", false]);
  });

  test("s10", "a state reaches who subscribed after the join, before anything else", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    const collectors = [await collect(one), await collect(two)];
    await setState(one, "ann", "1");
    await exit(one, "ann");
    for (const collector of collectors) await collector.until(2);
    assertEquals(collectors.map(describeAll), [
      ["updated ann 1", "left ann LEFT"],
      ["updated ann 1", "left ann LEFT"],
    ]);
  });
}

function setState(node: Engine, userId: string, json: string, setBy: string | null = null): Promise<boolean> {
  return node.presence.setState(lobby, userId, { json, setBy }, { event: updated(userId, json) });
}

/** Drops what one session has set of ann's. */
function dropState(node: Engine, setBy: string): Promise<boolean> {
  return node.presence.setState(lobby, "ann", null, { event: updated("ann", null), setBy });
}

function updated(userId: string, state: string | null): string {
  const member = { userId, joinedAtMs: 0, sessionCount: 1, state, leasedUntilMs: null };
  return encodeEvent({ kind: "updated", member });
}

async function collect(node: Engine): Promise<EntryCollector> {
  const collector = new EntryCollector();
  await node.log.subscribe(eventsOf(lobby), collector.listener);
  return collector;
}

function describeAll({ entries }: EntryCollector): string[] {
  return entries.map((entry) => describeEvent(decodeEntry(eventsOf(lobby), entry).event));
}
