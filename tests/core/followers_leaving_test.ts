import { assertEquals, assertLess } from "@std/assert";
import type { Session } from "../../src/core/sessions.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { collectedHeapBytes } from "../support/heap.ts";
import { followerOf, GRACE_MS, lobby, openMembershipWorld } from "../support/membership_world.ts";

const JOINS = { joins: true };

Deno.test("G7 leaving ends all holds of its session: what it follows stays open and holds nothing", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  const followers = [await world.follow(connection), await world.follow(connection, JOINS)];
  const left = [await world.leave(connection), await world.leave(connection)];
  const after = [...world.heard];
  await world.join(world.connect("two"));
  const others = await world.sessionCount();
  for (const { unfollow } of followers) unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  assertEquals([left, after, others], [[true, false], ["joined ann", "left ann LEFT"], 1]);
  assertEquals([followers.map(({ removed }) => removed), await world.sessionCount()], [[[], []], 1]);
});

Deno.test("G7 leaving keeps what other sessions hold by what they follow", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  await world.follow(one);
  const { unfollow } = await world.follow(two);
  await world.leave(one);
  await world.advance(GRACE_MS * 2);
  const during = [await world.sessionCount(), [...world.heard]];
  unfollow("COMPLETED");
  await world.advance(GRACE_MS);
  assertEquals([during, world.heard], [[1, ["joined ann"]], ["joined ann", "left ann DISCONNECTED"]]);
});

Deno.test("G7 what a session follows holds again once it joins again, by a join, a subscription or a lease", async () => {
  for (const again of ["join", "follow", "lease"] as const) {
    await using world = await openMembershipWorld();
    const connection = world.connect("one");
    await world.join(connection);
    const { unfollow } = await world.follow(connection);
    await world.leave(connection);
    if (again === "join") await world.join(connection);
    else if (again === "follow") (await world.follow(connection, JOINS)).unfollow("COMPLETED");
    else await world.lease("one");
    await world.advance(70_000);
    assertEquals([again, await world.sessionCount()], [again, 1]);
    unfollow("COMPLETED");
  }
});

Deno.test("a lease of another session does not make what has been left hold again", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  await world.follow(connection);
  await world.leave(connection);
  await world.lease("two");
  const count = await world.sessionCount();
  await world.advance(70_000);
  assertEquals([count, world.heard.at(-1)], [0, "left ann TIMEOUT"]);
});

Deno.test("G7 who leaves and still follows does not make the grace of others longer by ending that", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  const { unfollow } = await world.follow(two);
  await world.leave(two);
  one.close("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  unfollow("DISCONNECTED");
  await world.advance(1);
  assertEquals(world.heard, ["joined ann", "left ann TIMEOUT"]);
});

Deno.test("leaving as the whole user ends the holds of everything that is followed", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  for (const connection of [one, two]) await world.follow(connection);
  await world.lease();
  await world.leaveWithAll();
  assertEquals([world.heard, await world.member()], [["joined ann", "left ann LEFT"], undefined]);
  await world.join(two);
  assertEquals(await world.sessionCount(), 1);
});

Deno.test("G7 a removal ends the subscriptions of the user on the room, with its reason, and nobody else's", async () => {
  await using world = await openMembershipWorld();
  const one = world.connect("one");
  const followers = [await world.follow(one), await world.follow(world.connect("two"), JOINS)];
  const other = await world.follow(world.connect("one", "bob"));
  await world.memberships.remove(lobby, "ann", "spam");
  for (const { unfollow } of followers) unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  assertEquals([...followers, other].map(({ removed }) => removed), [["spam"], ["spam"], []]);
  assertEquals(world.heard, ["joined ann", "left ann REMOVED"]);
  other.unfollow("COMPLETED");
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("G7 subscriptions that end as they are removed bring no second leave", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const unfollow = await world.memberships.follow(
    lobby,
    followerOf({ session: connection.session, joins: true, remove: () => unfollow("COMPLETED") }),
  );
  const removed = await world.memberships.remove(lobby, "ann", null);
  await world.advance(GRACE_MS * 2);
  assertEquals([removed, world.heard], [true, ["joined ann", "left ann REMOVED"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("G9 sessions that have left and ended are not kept for what another one follows", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("stays"), JOINS);
  const visit = async (sessionId: string): Promise<WeakRef<Session>> => {
    const connection = world.connect(sessionId);
    await world.join(connection);
    await world.leave(connection);
    connection.close("DISCONNECTED");
    return new WeakRef(connection.session);
  };
  const sessions: WeakRef<Session>[] = [];
  for (let at = 0; at < 10; at++) sessions.push(await visit(`session-${at}`));
  await eventLoopTurn();
  collectedHeapBytes();
  const kept = sessions.filter((session) => session.deref() !== undefined);
  assertLess(kept.length, 3);
  unfollow("COMPLETED");
});
