import { assertEquals } from "@std/assert";
import { parseRoomName } from "../../src/core/room_name.ts";
import { GRACE_MS, lobby, openMembershipWorld } from "../support/membership_world.ts";
import { refusal } from "../support/refusal.ts";

Deno.test("G7 two sessions of a user are one join and one leave, and the member counts both", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  const entered = [await world.join(one), await world.join(two), await world.join(one)];
  const left = [await world.leave(one), await world.leave(two), await world.leave(two)];
  assertEquals(entered.map(({ first, member }) => [first, member.sessionCount]), [[true, 1], [false, 2], [false, 2]]);
  assertEquals(left, [true, true, false]);
  assertEquals(world.heard, ["joined ann", "left ann LEFT"]);
});

Deno.test("G7 a session's two connections are one hold, which ends with the last", async () => {
  await using world = await openMembershipWorld();
  const [first, second] = [world.connect("one"), world.connect("one")];
  await world.join(first);
  first.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  const during = await world.sessionCount();
  second.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([during, world.heard], [1, ["joined ann", "left ann DISCONNECTED"]]);
});

Deno.test("leaving with one of two sessions keeps the membership with one session", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  const left = await world.leave(one);
  await world.advance(GRACE_MS * 2);
  assertEquals([left, await world.sessionCount(), world.heard], [true, 1, ["joined ann"]]);
});

Deno.test("leaving a room somebody else is in, or nobody, is nothing", async () => {
  await using world = await openMembershipWorld();
  await world.join(world.connect("one", "bob"));
  const left = [await world.leave(world.connect("one")), await world.leaveWithAll()];
  assertEquals([left, world.heard, world.memberships.size], [[false, false], ["joined bob"], 1]);
});

Deno.test("a session that never joined can leave only for itself", async () => {
  await using world = await openMembershipWorld();
  await world.join(world.connect("one"));
  const left = await world.leave(world.connect("two"));
  assertEquals([left, await world.sessionCount(), world.heard], [true, 1, ["joined ann"]]);
});

Deno.test("joining more rooms than a session may hold is ROOM_LIMIT, and changes nothing", async () => {
  await using world = await openMembershipWorld({ maxRoomsPerSession: 2 });
  const { memberships } = world;
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const name of ["a", "b"]) await memberships.join(one.session, parseRoomName(name));
  const error = await refusal(() => world.join(one));
  await memberships.join(one.session, parseRoomName("a"));
  assertEquals([error.code, error.limit, memberships.size, world.heard], ["ROOM_LIMIT", 2, 2, []]);
  await memberships.leave("ann", { sessions: [one.session], sessionId: "one" }, parseRoomName("a"));
  await world.join(one);
  await world.join(two);
  assertEquals([one.session.rooms.size, await world.sessionCount()], [2, 2]);
});

Deno.test("G7 removing a user ends all holds and the lease at once, and says whether there was a membership", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.lease();
  two.close("DISCONNECTED");
  const removed = [
    await world.memberships.remove(lobby, "ann", "spam"),
    await world.memberships.remove(lobby, "ann", null),
    await world.memberships.remove(lobby, "bob", null),
  ];
  await world.advance(70_000);
  one.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([removed, world.heard], [[true, false, false], ["joined ann", "left ann REMOVED"]]);
  assertEquals([one.session.rooms.size, world.memberships.size, world.pendingTimers()], [0, 0, 0]);
});

Deno.test("G7 who has been removed may come back, and is a new member", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  await world.memberships.remove(lobby, "ann", null);
  const { first } = await world.join(connection);
  await world.leave(connection);
  assertEquals([first, world.heard], [true, ["joined ann", "left ann REMOVED", "joined ann", "left ann LEFT"]]);
});

Deno.test("G7 joins, leaves and removals of one moment reach the engine in their order", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const steps: Promise<unknown>[] = [];
  for (let at = 0; at < 2; at++) steps.push(world.join(connection), world.leave(connection));
  steps.push(world.join(connection), world.memberships.remove(lobby, "ann", null));
  await Promise.all(steps);
  assertEquals(world.heard, [
    "joined ann",
    "left ann LEFT",
    "joined ann",
    "left ann LEFT",
    "joined ann",
    "left ann REMOVED",
  ]);
});
