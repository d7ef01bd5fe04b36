import { assertEquals } from "@std/assert";
import type { Session } from "../../src/core/sessions.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { followerOf, GRACE_MS, lobby, openMembershipWorld } from "../support/membership_world.ts";

const JOINS = { joins: true };

Deno.test("G7 a subscription that joins is a hold: one join, one session, and a leave at once when completed", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const { unfollow } = await world.follow(connection, JOINS);
  const count = await world.sessionCount();
  unfollow("COMPLETED");
  unfollow("COMPLETED");
  await eventLoopTurn();
  assertEquals([count, world.heard], [1, ["joined ann", "left ann LEFT"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

Deno.test("G7 a subscription that joined and loses its connection is a leave only after the grace", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("one"), JOINS);
  unfollow("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  const before = await world.sessionCount();
  await world.advance(1);
  assertEquals([before, world.heard], [0, ["joined ann", "left ann TIMEOUT"]]);
  assertEquals(world.memberships.size, 0);
});

Deno.test("G7 a subscription that joins again within the grace is no event", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("one"), JOINS);
  unfollow("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  await world.follow(world.connect("two"), JOINS);
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("completing one of two joining subscriptions of a session leaves nothing", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  const followers = [await world.follow(connection, JOINS), await world.follow(connection, JOINS)];
  const count = await world.sessionCount();
  followers[0]!.unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  const during = [...world.heard];
  followers[1]!.unfollow("COMPLETED");
  await eventLoopTurn();
  assertEquals([count, during, world.heard], [1, ["joined ann"], ["joined ann", "left ann LEFT"]]);
});

Deno.test("completing a joining subscription leaves a session in the room that joined it", async () => {
  await using world = await openMembershipWorld();
  const connection = world.connect("one");
  await world.join(connection);
  const { unfollow } = await world.follow(connection, JOINS);
  unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("completing a joining subscription is a grace while another session waits to be continued", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  const { unfollow } = await world.follow(two, JOINS);
  one.close("DISCONNECTED");
  unfollow("COMPLETED");
  await world.advance(GRACE_MS - 1);
  const during = [...world.heard];
  await world.advance(1);
  assertEquals([during, world.heard], [["joined ann"], ["joined ann", "left ann DISCONNECTED"]]);
});

Deno.test("a plain subscription begins no membership, and leaves nothing", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("one"));
  await eventLoopTurn();
  const during = [await world.member(), world.memberships.size];
  unfollow("COMPLETED");
  await eventLoopTurn();
  assertEquals([during, world.heard], [[undefined, 1], []]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

for (const order of ["before", "after"] as const) {
  Deno.test(`G7 a plain subscription begun ${order} another session's join holds the membership too`, async () => {
    await using world = await openMembershipWorld();
    const [one, two] = [world.connect("one"), world.connect("two")];
    const early = order === "before" ? await world.follow(two) : undefined;
    await world.join(one);
    const { unfollow } = early ?? await world.follow(two);
    await eventLoopTurn();
    const both = await world.sessionCount();
    await world.leave(one);
    await world.advance(GRACE_MS * 2);
    const alone = await world.sessionCount();
    unfollow("COMPLETED");
    await world.advance(GRACE_MS - 1);
    const grace = await world.sessionCount();
    await world.advance(1);
    assertEquals([both, alone, grace], [2, 1, 0]);
    assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
  });
}

Deno.test("G7 a plain subscription of the session that joined holds it while there is no other hold", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("one")];
  await world.join(one);
  const { unfollow } = await world.follow(two);
  const count = await world.sessionCount();
  unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  assertEquals([count, await world.sessionCount(), world.heard], [1, 1, ["joined ann"]]);
});

Deno.test("G7 a plain subscription begun in the grace ends the grace", async () => {
  await using world = await openMembershipWorld();
  const one = world.connect("one");
  await world.join(one);
  one.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  await world.follow(world.connect("two"));
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("G7 a plain subscription holds what only a lease held, beyond its time", async () => {
  await using world = await openMembershipWorld();
  await world.lease();
  const { unfollow } = await world.follow(world.connect("one"));
  await world.advance(70_000);
  const during = await world.member();
  unfollow("DISCONNECTED");
  await world.advance(GRACE_MS);
  assertEquals([during?.sessionCount, during?.leasedUntilMs], [1, null]);
  assertEquals([world.heard, world.memberships.size], [["joined ann", "left ann DISCONNECTED"], 0]);
});

Deno.test("G7 a lease taken after a plain subscription began is held by it too", async () => {
  await using world = await openMembershipWorld();
  const { unfollow } = await world.follow(world.connect("one"));
  const { first, member } = await world.lease();
  await world.advance(70_000);
  const during = [...world.heard];
  unfollow("COMPLETED");
  await world.advance(GRACE_MS);
  assertEquals([first, member.sessionCount, during], [true, 1, ["joined ann"]]);
  assertEquals(world.heard, ["joined ann", "left ann DISCONNECTED"]);
});

Deno.test("a lease goes on when the subscriptions beside it have ended", async () => {
  await using world = await openMembershipWorld();
  await world.lease();
  const { unfollow } = await world.follow(world.connect("one"), JOINS);
  unfollow("COMPLETED");
  await world.advance(GRACE_MS * 2);
  const during = [await world.sessionCount(), world.memberships.size];
  await world.advance(60_000);
  assertEquals([during, world.heard], [[0, 0], ["joined ann", "left ann TIMEOUT"]]);
});

Deno.test("a subscription goes along when its caller's session is continued as another", async () => {
  await using world = await openMembershipWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  let session: Session = one.session;
  const follower = {
    get session() {
      return session;
    },
    joins: true,
    remove() {},
  };
  const unfollow = await world.memberships.follow(lobby, followerOf(follower));
  session = two.session;
  one.close("DISCONNECTED");
  await world.join(two);
  const count = await world.sessionCount();
  await world.leave(two);
  unfollow("COMPLETED");
  await eventLoopTurn();
  assertEquals([count, world.heard], [1, ["joined ann", "left ann LEFT"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});
