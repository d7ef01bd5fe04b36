import { assertEquals, assertRejects } from "@std/assert";
import { eventLoopTurn } from "../support/event_loop.ts";
import { GRACE_MS, lobby, openMembershipWorld, unavailable, unknown } from "../support/membership_world.ts";
import { refusal } from "../support/refusal.ts";

const JOINS = { joins: true };

Deno.test("a join the engine refused leaves no hold, and can be tried again", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  world.failNext("enter", unavailable);
  const error = await refusal(() => world.join(connection));
  const after = [connection.session.rooms.size, world.memberships.size, world.pendingTimers()];
  await world.join(connection);
  assertEquals([error.code, after, world.heard], ["ENGINE_UNAVAILABLE", [0, 0, 0], ["joined ann"]]);
});

Deno.test("a join whose outcome is unknown is undone when nobody tries again", async () => {
  await using world = await openMembershipWorld();
  world.failNext("enter", unknown, { afterwards: true });
  await refusal(() => world.join(world.connect("one")));
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("a join whose outcome is unknown and that did nothing is undone without an event", async () => {
  await using world = await openMembershipWorld();
  world.failNext("enter", unknown);
  await refusal(() => world.join(world.connect("one")));
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size, world.pendingTimers()], [[], 0, 0]);
});

Deno.test("a join that is tried again after an unknown outcome is one join", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  world.failNext("enter", unknown, { afterwards: true });
  await refusal(() => world.join(connection));
  await world.join(connection);
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("a failed join within the grace does not keep the membership for ever", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(1);
  world.failNext("enter", unavailable);
  await refusal(() => world.join(world.connect("two")));
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("G9 a failed join of a session that goes meanwhile leaves nothing", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  world.failNext("enter", unavailable);
  const joining = assertRejects(() => world.join(connection));
  connection.close("DISCONNECTED");
  await joining;
  await world.advance(GRACE_MS);
  assertEquals([world.memberships.size, world.sessions.size, world.pendingTimers(), world.heard], [0, 0, 0, []]);
});

Deno.test("a failed join does not undo one of the same session that is answered after it", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  world.failNext("enter", unavailable);
  const results = await Promise.allSettled([world.join(connection), world.join(connection)]);
  await world.advance(GRACE_MS * 2);
  assertEquals(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([await world.member(), world.memberships.size], [undefined, 0]);
});

Deno.test("two failed joins of one session leave no hold", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  for (let at = 0; at < 2; at++) world.failNext("enter", unavailable);
  await Promise.allSettled([world.join(connection), world.join(connection)]);
  assertEquals([connection.session.rooms.size, world.memberships.size, world.heard], [0, 0, []]);
});

Deno.test("a failed join leaves a session that has left where it was: what it follows holds nothing", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.follow(two);
  await world.leave(two);
  world.failNext("enter", unavailable);
  await refusal(() => world.join(two));
  await world.leave(one);
  assertEquals(world.heard, ["joined ann", "left ann LEFT"]);
});

Deno.test("a continued session whose join fails holds nothing beyond the grace", async () => {
  await using world = await openMembershipWorld();
  const first = world.connect("one");
  await world.join(first);
  first.close("DISCONNECTED");
  const second = world.connect("one");
  world.failNext("enter", unavailable);
  await refusal(() => world.join(second));
  await world.advance(GRACE_MS);
  second.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
  assertEquals([world.sessions.size, world.pendingTimers()], [0, 0]);
});

Deno.test("a subscription that cannot join leaves nothing", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  world.failNext("enter", unavailable);
  const error = await refusal(() => world.follow(connection, JOINS));
  assertEquals([error.code, world.memberships.size, world.pendingTimers()], ["ENGINE_UNAVAILABLE", 0, 0]);
  world.failNext("enter", unknown, { afterwards: true });
  await refusal(() => world.follow(connection, JOINS));
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("a subscription that cannot join leaves a session that has left where it was", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.follow(two);
  await world.leave(two);
  world.failNext("enter", unavailable);
  await refusal(() => world.follow(two, JOINS));
  await world.leave(one);
  assertEquals(world.heard, ["joined ann", "left ann LEFT"]);
});

Deno.test("a join whose second step fails is told as failed, and holds nothing beyond the grace", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("two"));
  await eventLoopTurn();
  world.failNext("keep", unavailable);
  await refusal(() => world.join(world.connect("one")));
  unfollow("COMPLETED");
  await world.advance(GRACE_MS);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("a plain subscription that cannot be counted is begun all the same, and told of", async () => {
  await using world = await openMembershipWorld();
  await world.join(world.connect("one"));
  world.failNext("keep", unavailable);
  const { unfollow } = await world.follow(world.connect("two"));
  await eventLoopTurn();
  assertEquals([world.telemetry.events, world.heard], [["membership.failed"], ["joined ann"]]);
  unfollow("COMPLETED");
});

Deno.test("a leave after the grace that the engine refused is tried again", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(0);
  world.failNext("exit", unavailable);
  await world.advance(GRACE_MS);
  const before = [[...world.heard], [...world.telemetry.events]];
  await world.advance(1_000);
  assertEquals(before, [["joined ann"], ["membership.failed"]]);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("a leave the engine refused is told, and tried again with its own reason", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  world.failNext("exit", unavailable);
  await refusal(() => world.leave(connection));
  await world.advance(1_000);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann LEFT"], 0]);
});

Deno.test("a leave whose outcome is unknown is one leave", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  world.failNext("exit", unknown, { afterwards: true });
  await refusal(() => world.leave(connection));
  await world.advance(1_000);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann LEFT"], 0]);
});

Deno.test("a leave that the engine refused is nothing any more once the session has joined again", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  world.failNext("exit", unavailable);
  await refusal(() => world.leave(connection));
  await world.join(connection);
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("a leave that cannot end the lease is told, and the lease ends in its time", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.lease("one");
  await world.join(connection);
  world.failNext("endLease", unavailable);
  await refusal(() => world.leave(connection));
  const during = [await world.sessionCount(), world.memberships.size];
  await world.advance(70_000);
  assertEquals([during, world.heard], [[0, 0], ["joined ann", "left ann TIMEOUT"]]);
});

Deno.test("G9 a leave that fails before the engine was asked to end anything leaves no membership held", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const other = world.connect("one", "bob");
  await world.join(other);
  world.failNext("enter", unavailable);
  const joining = assertRejects(() => world.join(connection));
  world.failNext("member", unavailable);
  const leaving = assertRejects(() => world.leave(connection));
  await Promise.all([joining, leaving]);
  assertEquals([world.memberships.size, world.pendingTimers()], [1, 0]);
});

Deno.test("a removal the engine refused is told, and what was held ends after the grace", async () => {
  await using world = await openMembershipWorld();
  await world.join(world.connect("one"));
  world.failNext("remove", unavailable);
  const error = await refusal(() => world.memberships.remove(lobby, "ann", "spam"));
  await world.advance(GRACE_MS);
  assertEquals([error.code, world.heard], ["ENGINE_UNAVAILABLE", ["joined ann", "left ann DISCONNECTED"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("G9 a refused removal of who is not here leaves nothing", async () => {
  await using world = await openMembershipWorld();
  world.failNext("remove", unavailable);
  await refusal(() => world.memberships.remove(lobby, "ann", null));
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("a count the engine did not take is told, and the membership ends in its time", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  world.failNext("keep", unavailable);
  one.close("DISCONNECTED");
  await eventLoopTurn();
  world.failNext("keep", unavailable);
  two.close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals(world.telemetry.events, ["membership.failed", "membership.failed"]);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});
