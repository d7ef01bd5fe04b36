import { assert, assertEquals } from "@std/assert";
import { eventsOf } from "../../src/core/stream.ts";
import { peerOf } from "../support/peer_of.ts";
import { createMembershipParts } from "../support/membership_parts.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import type { RegisterTest } from "./engine_suite.ts";
import { beginning, enter, eventsIn, exit, left, lobby, share } from "./presence_steps.ts";

/** c30 to c34: what the presence promises of memberships that nodes hold. */
export function registerPresenceTests(test: RegisterTest): void {
  test("c30", "G7 only the first enter and the last exit say so, and are events", async ({ nodes: [one, two] }) => {
    const entered = [await enter(one, "ann"), await enter(two, "ann"), await enter(one, "ann")];
    const exited = [await exit(one, "ann"), await exit(two, "ann")];
    assertEquals(entered.map(({ first }) => first), [true, false, false]);
    assertEquals(exited.map(({ last }) => last), [false, true]);
    assertEquals(await eventsIn(one), ["joined ann", "left ann LEFT"]);
  });

  test("c30b", "keep begins nothing, and answers undefined for who is no member", async ({ nodes: [one, two] }) => {
    const never = await one.presence.keep(lobby, "ann", share);
    await enter(two, "ann");
    await exit(two, "ann");
    const noLonger = await one.presence.keep(lobby, "ann", share);
    assertEquals([never, noLonger], [undefined, undefined]);
    assertEquals(await two.presence.member(lobby, "ann"), undefined);
    assertEquals(await one.presence.roomsOf("ann"), []);
    assertEquals(await eventsIn(two), ["joined ann", "left ann LEFT"]);
  });

  test("c30c", "G7 keep counts and holds what is there as enter does", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    const kept = await two.presence.keep(lobby, "ann", { sessionCount: 2 });
    const exited = await exit(one, "ann");
    const less = await two.presence.keep(lobby, "ann", { sessionCount: 0 });
    const during = await eventsIn(one);
    const last = await exit(two, "ann");
    assertEquals([kept?.sessionCount, less?.sessionCount], [3, 0]);
    assertEquals([exited.last, during, last.last], [false, ["joined ann"], true]);
  });

  test(
    "c31",
    "G7 three sessions on two nodes are one join, one leave and one member",
    async ({ nodes: [one, two] }) => {
      await one.presence.enter(lobby, "ann", { sessionCount: 1 }, beginning("ann"));
      await one.presence.enter(lobby, "ann", { sessionCount: 2 }, beginning("ann"));
      const { member } = await two.presence.enter(lobby, "ann", share, beginning("ann"));
      const { position: _position, ...page } = await one.presence.members(lobby, { limit: 10 });
      await one.presence.enter(lobby, "ann", share, beginning("ann"));
      const later = await two.presence.member(lobby, "ann");
      await exit(one, "ann");
      await exit(two, "ann");
      assertEquals([member.sessionCount, later?.sessionCount], [3, 2]);
      assertEquals(page, { members: [member], total: 1, hasMore: false });
      assertEquals(await eventsIn(two), ["joined ann", "left ann LEFT"]);
    },
  );

  test("c32", "exiting twice, or without having entered, is nothing", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    const never = await exit(two, "ann");
    const exited = [await exit(one, "ann"), await exit(one, "ann")];
    assertEquals([never.last, ...exited.map(({ last }) => last)], [false, true, false]);
    assertEquals(await one.presence.member(lobby, "ann"), undefined);
    assertEquals(await eventsIn(one), ["joined ann", "left ann LEFT"]);
  });

  test("c32b", "G7 remove ends what both nodes hold, and says so once", async ({ nodes: [one, two] }) => {
    for (const node of [one, two]) await enter(node, "ann");
    await enter(one, "bob");
    const removed = [await two.presence.remove(lobby, "ann", left("ann"))];
    removed.push(await one.presence.remove(lobby, "ann", left("ann")));
    removed.push(await one.presence.remove(lobby, "cyd", left("cyd")));
    const exited = [await exit(one, "ann"), await exit(two, "ann")];
    assertEquals([...removed, ...exited].map(({ last }) => last), [true, false, false, false, false]);
    assertEquals(await one.presence.roomsOf("ann"), []);
    assertEquals((await two.presence.members(lobby, { limit: 10 })).members.map(({ userId }) => userId), ["bob"]);
    assertEquals(await eventsIn(one), ["joined ann", "joined bob", "left ann LEFT"]);
  });

  test("c32c", "G7 who comes back after a removal is a new member", async ({ nodes: [one, two], passTime }) => {
    const { member: before } = await enter(one, "ann");
    await two.presence.remove(lobby, "ann", left("ann"));
    await passTime(2);
    const { first, member } = await enter(two, "ann");
    const old = await exit(one, "ann");
    assertEquals([first, old.last, member.sessionCount], [true, false, 1]);
    assert(member.joinedAtMs > before.joinedAtMs);
    assertEquals((await one.presence.member(lobby, "ann"))?.sessionCount, 1);
  });

  test("c33", "G7 a node that closes ends its memberships, and nobody else's", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    await enter(one, "bob");
    await enter(two, "bob");
    await one.close();
    const { members } = await two.presence.members(lobby, { limit: 10 });
    assertEquals(members.map(({ userId, sessionCount }) => [userId, sessionCount]), [["bob", 1]]);
    assertEquals(await eventsIn(two), ["joined ann", "joined bob", "left ann DISCONNECTED"]);
    assertEquals(await two.presence.roomsOf("ann"), []);
  });

  test("c33b", "G7 a node that closes appends no leave for who was removed", async ({ nodes: [one, two] }) => {
    await enter(one, "ann");
    await two.presence.remove(lobby, "ann", left("ann"));
    await one.close();
    assertEquals(await eventsIn(two), ["joined ann", "left ann LEFT"]);
  });

  test("c34", "G7 a hold that ends and begins again within the grace is no event", async (world) => {
    const { nodes: [node], clock, passTime } = world;
    const telemetry = new RecordingTelemetry();
    const options = { presence: node.presence, clock, telemetry, leaveGraceMs: 10_000, maxRoomsPerSession: 10 };
    const { sessions, memberships, close } = createMembershipParts(options);
    const connect = () => sessions.connect({ userId: "ann", sessionId: "tab" }, peerOf("ann"));
    const first = connect();
    await memberships.join(first.session, lobby);
    first.close("DISCONNECTED");
    await passTime(9_000);
    const second = connect();
    await memberships.join(second.session, lobby);
    await passTime(9_000);
    const within = await eventsIn(node);
    const ended = Promise.withResolvers<unknown>();
    const subscription = await node.log.subscribe(eventsOf(lobby), ended.resolve);
    second.close("DISCONNECTED");
    await passTime(11_000);
    await ended.promise;
    subscription.close();
    assertEquals([within, await eventsIn(node)], [["joined ann"], ["joined ann", "left ann DISCONNECTED"]]);
    close();
  });
}
