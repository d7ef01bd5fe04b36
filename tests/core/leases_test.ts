import { assertEquals } from "@std/assert";
import { parseRoomName } from "../../src/core/room_name.ts";
import { GRACE_MS, openMembershipWorld, unavailable, unknown } from "../support/membership_world.ts";
import { refusal } from "../support/refusal.ts";

const LEASE_MS = 60_000;

Deno.test("G7 a join over HTTP lasts a minute, held by no session", async () => {
  await using world = await openMembershipWorld();
  const { first, member } = await world.lease();
  await world.advance(LEASE_MS - 1);
  const before = await world.sessionCount();
  await world.advance(1);
  assertEquals([first, member.sessionCount, member.leasedUntilMs], [true, 0, member.joinedAtMs + LEASE_MS]);
  assertEquals([before, world.heard], [0, ["joined ann", "left ann TIMEOUT"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("G7 joining again begins the minute anew", async () => {
  await using world = await openMembershipWorld();
  const { member: before } = await world.lease("s");
  await world.advance(LEASE_MS - 1_000);
  const { first, member } = await world.lease("t");
  await world.advance(LEASE_MS - 1);
  const during = [...world.heard];
  await world.advance(1);
  assertEquals([first, member.joinedAtMs, during], [false, before.joinedAtMs, ["joined ann"]]);
  assertEquals(world.heard, ["joined ann", "left ann TIMEOUT"]);
});

Deno.test("a join over HTTP begins with its state, which no session takes with it", async () => {
  await using world = await openMembershipWorld();
  const { member } = await world.lease("s", { state: "1" });
  const { member: again } = await world.lease("s", { state: "2" });
  world.connect("s").close("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([member.state, again.state, (await world.member())?.state], ["1", "1", "1"]);
});

Deno.test("G7 leaving over HTTP ends the lease at once, by its own session or by none", async () => {
  await using world = await openMembershipWorld();
  await world.lease("s");
  const left = [await world.leaveByLease("t"), await world.leaveByLease("s"), await world.leaveByLease("s")];
  await world.lease("s");
  left.push(await world.leaveWithAll());
  assertEquals(left, [true, true, false, true]);
  assertEquals(world.heard, ["joined ann", "left ann LEFT", "joined ann", "left ann LEFT"]);
});

Deno.test("G7 a session that connects under the lease's name ends it by leaving", async () => {
  await using world = await openMembershipWorld();
  await world.lease("one");
  const connection = world.connect("one");
  const { first } = await world.join(connection);
  await world.leave(connection);
  assertEquals([first, world.heard], [false, ["joined ann", "left ann LEFT"]]);
});

Deno.test("G7 a session's leave does not end another's lease, nor a lease's end a session's hold", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  const { first, member } = await world.lease("s");
  await world.leave(connection);
  const leased = await world.member();
  await world.join(connection);
  await world.leaveByLease("s");
  await world.advance(LEASE_MS);
  assertEquals([first, member.sessionCount, leased?.sessionCount], [false, 1, 0]);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("G7 a lease taken in the grace holds the membership beyond it", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  await world.lease();
  await world.advance(GRACE_MS);
  const during = [[...world.heard], await world.sessionCount(), world.memberships.size];
  await world.advance(LEASE_MS);
  assertEquals([during, world.heard], [[["joined ann"], 0, 0], ["joined ann", "left ann TIMEOUT"]]);
});

Deno.test("G7 a lease that runs out in the grace leaves the grace its time and reason", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.lease();
  await world.join(connection);
  await world.advance(LEASE_MS - 5_000);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  const before = await world.member();
  await world.advance(1);
  assertEquals([before?.leasedUntilMs, world.heard], [null, ["joined ann", "left ann DISCONNECTED"]]);
});

Deno.test("a join over HTTP of one more room than a user may be in is ROOM_LIMIT", async () => {
  await using world = await openMembershipWorld({ maxLeasedRooms: 2 });
  const [a, b, c] = ["a", "b", "c"].map(parseRoomName);
  await world.memberships.join(world.connect("one").session, a!);
  await world.lease("s", { room: b! });
  const error = await refusal(() => world.lease("s", { room: c! }));
  const { first } = await world.lease("s", { room: b! });
  await world.lease("s", { room: a! });
  await world.lease("s", { userId: "bob", room: c! });
  assertEquals([error.code, error.limit, first], ["ROOM_LIMIT", 2, false]);
  await world.advance(LEASE_MS);
  assertEquals((await world.lease("s", { room: c! })).first, true);
});

Deno.test("a lease the engine refused is told, and nothing is begun", async () => {
  await using world = await openMembershipWorld();
  for (const method of ["roomsOf", "lease"] as const) {
    world.failNext(method, unavailable);
    assertEquals((await refusal(() => world.lease())).code, "ENGINE_UNAVAILABLE", method);
  }
  assertEquals([await world.member(), world.memberships.size, world.heard], [undefined, 0, []]);
});

Deno.test("G9 a lease whose outcome is unknown, or that could not be counted, ends in its time", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const { unfollow } = await world.follow(connection);
  await world.advance(0);
  world.failNext("keep", unknown, { afterwards: true });
  await refusal(() => world.lease());
  unfollow("DISCONNECTED");
  world.failNext("lease", unknown, { afterwards: true });
  await refusal(() => world.lease("s", { userId: "bob" }));
  await world.advance(GRACE_MS);
  await world.advance(LEASE_MS);
  assertEquals([await world.member(), await world.member("bob"), world.memberships.size], [undefined, undefined, 0]);
  assertEquals(world.heard, ["joined ann", "joined bob", "left ann TIMEOUT", "left bob TIMEOUT"]);
});
