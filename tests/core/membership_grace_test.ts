import { assertEquals } from "@std/assert";
import { eventLoopTurn } from "../support/event_loop.ts";
import { GRACE_MS, lobby, openMembershipWorld } from "../support/membership_world.ts";

Deno.test("leaving with all sessions ends the membership at once, also what waits to be continued", async () => {
  await using world = await openMembershipWorld();
  const connections = ["one", "two", "three"].map((id) => world.connect(id));
  for (const connection of connections) await world.join(connection);
  connections[0]!.close("DISCONNECTED");
  const left = [await world.leaveWithAll(), await world.leaveWithAll()];
  assertEquals([left, world.heard], [[true, false], ["joined ann", "left ann LEFT"]]);
  assertEquals(connections.map(({ session }) => session.rooms.size), [0, 0, 0]);
  assertEquals(world.memberships.size, 0);
});

Deno.test("G7 a lost connection is a leave only when the grace has passed, and meanwhile no session", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  const before = [[...world.heard], await world.sessionCount()];
  await world.advance(1);
  assertEquals([before, world.heard], [[["joined ann"], 0], ["joined ann", "left ann TIMEOUT"]]);
  assertEquals([world.memberships.size, world.sessions.size, world.pendingTimers()], [0, 0, 0]);
});

Deno.test("G7 the last of two sessions to lose its connection begins the grace, and tells its reason", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  one.close("DISCONNECTED");
  await world.advance(GRACE_MS * 2);
  const during = [await world.sessionCount(), [...world.heard]];
  two.close("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  const before = await world.sessionCount();
  await world.advance(1);
  assertEquals([during, before], [[1, ["joined ann"]], 0]);
  assertEquals(world.heard, ["joined ann", "left ann TIMEOUT"]);
});

Deno.test("G7 joining again within the grace is no event, by whichever session", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const { member: before } = await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  const { first, member } = await world.join(world.connect("two"));
  await world.advance(GRACE_MS * 2);
  assertEquals([first, member, world.heard, await world.sessionCount()], [false, before, ["joined ann"], 1]);
});

Deno.test("G7 a session that is continued joins again without an event, and loses its connection as before", async () => {
  await using world = await openMembershipWorld();
  const first = world.connect("one");
  await world.join(first);
  first.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  const second = world.connect("one");
  const { first: isFirst, member } = await world.join(second);
  await world.advance(GRACE_MS);
  const during = [...world.heard];
  second.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([second.continues, isFirst, member.sessionCount, during], [true, false, 1, ["joined ann"]]);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("G7 a join in the moment the grace ends is no event", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  world.clock.advance(1);
  const { first } = await world.join(world.connect("two"));
  await world.advance(GRACE_MS * 2);
  assertEquals([first, await world.sessionCount(), world.heard], [false, 1, ["joined ann"]]);
});

Deno.test("G7 after the grace joining is a new membership, with its own event", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const { member: before } = await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  const { first, member } = await world.join(world.connect("one"));
  assertEquals([first, member.joinedAtMs - before.joinedAtMs], [true, GRACE_MS]);
  assertEquals(world.heard, ["joined ann", "left ann DISCONNECTED", "joined ann"]);
});

Deno.test("leaving with a continued session ends the membership at once", async () => {
  await using world = await openMembershipWorld();
  const first = world.connect("one");
  await world.join(first);
  first.close("DISCONNECTED");
  const second = world.connect("one");
  await world.leave(second);
  assertEquals([world.heard, second.session.rooms.size], [["joined ann", "left ann LEFT"], 0]);
});

Deno.test("G7 a session that has just lost its connection leaves by its name, at once and for good", async () => {
  await using world = await openMembershipWorld();
  const first = world.connect("one");
  await world.join(first);
  first.close("DISCONNECTED");
  const left = [await world.leaveByLease("two"), await world.leaveByLease("one")];
  const again = world.connect("one");
  assertEquals([left, world.heard], [[true, true], ["joined ann", "left ann LEFT"]]);
  assertEquals([again.continues, again.session.rooms.size, world.memberships.size], [true, 0, 0]);
});

Deno.test("another session's leave is a grace while one waits to be continued, and no longer than its own", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  one.close("DISCONNECTED");
  await world.advance(1_000);
  const left = await world.leave(two);
  const during = [...world.heard];
  await world.advance(GRACE_MS - 1);
  const before = await world.sessionCount();
  await world.advance(1);
  assertEquals([left, during, before], [true, ["joined ann"], 0]);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("a session that waits comes back after another has left: nobody has heard of either", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  one.close("DISCONNECTED");
  await world.leave(two);
  await world.advance(GRACE_MS - 1);
  await world.join(world.connect("one"));
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("G7 who leaves in the grace and held nothing does not make it longer", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  one.close("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  await world.leave(two);
  await world.advance(1);
  assertEquals(world.heard, ["joined ann", "left ann TIMEOUT"]);
});

Deno.test("a session that is not to join again waits for nothing, and one that has joined is not forgotten", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  one.close("DISCONNECTED");
  for (const { session } of [one, two]) world.memberships.forget(session, lobby);
  const rooms = [one, two].map(({ session }) => [...session.rooms]);
  await world.leave(two);
  assertEquals([rooms, world.heard], [[[], [lobby]], ["joined ann", "left ann LEFT"]]);
});

Deno.test("a session that has ended waits for nothing: another's leave is at once again", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  one.close("DISCONNECTED");
  await world.advance(10_000);
  await world.leave(two);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann LEFT"], 0]);
});

Deno.test("G9 a session that was gone before it joined holds nothing beyond the grace", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  connection.close("DISCONNECTED");
  await world.join(connection);
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("G9 a session that goes while it joins holds nothing beyond the grace", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const joining = world.join(connection);
  connection.close("DISCONNECTED");
  await joining;
  await world.advance(GRACE_MS - 1);
  const before = [...world.heard];
  await world.advance(1);
  assertEquals([before, world.heard], [["joined ann"], ["joined ann", "left ann DISCONNECTED"]]);
  assertEquals([world.memberships.size, world.sessions.size], [0, 0]);
});

Deno.test("G7 a removal in the grace ends it: no timer is left, and there is nothing to leave any more", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await eventLoopTurn();
  const removed = await world.memberships.remove(lobby, "ann", null);
  const after = [world.memberships.size, world.pendingTimers()];
  const left = await world.leave(world.connect("two"));
  // What is left is the session that lingers.
  assertEquals([removed, after, left], [true, [0, 1], false]);
  assertEquals(world.heard, ["joined ann", "left ann REMOVED"]);
});

Deno.test("G9 closed memberships leave no timer", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  world.close();
  await eventLoopTurn();
  assertEquals([world.pendingTimers(), world.memberships.size], [0, 0]);
});
