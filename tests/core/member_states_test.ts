import { assertEquals, assertThrows } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { encodeState } from "../../src/core/member_states.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import type { SessionConnection } from "../../src/core/sessions.ts";
import { GRACE_MS, lobby, openMembershipWorld, unavailable } from "../support/membership_world.ts";
import { refusal } from "../support/refusal.ts";

const LINGER_MS = 10_000;

Deno.test("the last state a member sets counts, and readers hear of each", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  const { member: before } = await world.join(one);
  const set = [await world.set(one, "1"), await world.set(two, "2")];
  assertEquals(set, [{ ...before, state: "1" }, { ...before, state: "2" }]);
  assertEquals([await world.state(), world.heard], ["2", ["joined ann", "updated ann 1", "updated ann 2"]]);
});

Deno.test("a state of who is no member is NOT_FOUND, and nobody hears of it", async () => {
  await using world = await openStateWorld();
  const connection = world.connect("one");
  const never = await refusal(() => world.set(connection, "1"));
  await world.join(connection);
  await world.leave(connection);
  const noLonger = await refusal(() => world.set(connection, "1"));
  assertEquals([never.code, noLonger.code, connection.session.statefulRooms.size], ["NOT_FOUND", "NOT_FOUND", 0]);
  assertEquals(world.heard, ["joined ann", "left ann LEFT"]);
});

Deno.test("a member in the grace, or by a lease, has a state like any other", async () => {
  await using world = await openStateWorld();
  const connection = world.connect("one");
  await world.join(connection);
  connection.close("DISCONNECTED");
  await world.states.set(lobby, { userId: "ann", session: undefined }, "1");
  await world.lease("over http", { userId: "bob" });
  await world.states.set(lobby, { userId: "bob", session: undefined }, "2");
  assertEquals([await world.state(), (await world.member("bob"))?.state], ["1", "2"]);
});

Deno.test("a state goes with the session that set it while the member stays, and readers hear of that", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "1");
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS - 1);
  const before = await world.state();
  await world.advance(1);
  assertEquals([before, await world.state()], ["1", null]);
  assertEquals(world.heard, ["joined ann", "updated ann 1", "updated ann null"]);
});

Deno.test("a state goes at once with the session that leaves while the member stays, and readers hear of that", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "1");
  await world.leave(two);
  assertEquals([await world.state(), two.session.statefulRooms.size], [null, 0]);
  assertEquals(world.heard, ["joined ann", "updated ann 1", "updated ann null"]);
});

Deno.test("a state goes with its session that leaves a room somebody else holds: a lease, or who is waited for", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.lease("over http");
  await world.set(two, "1");
  await world.leave(two);
  const leased = await world.state();
  await world.join(one);
  await world.set(two, "2");
  one.close("DISCONNECTED");
  await world.leave(two);
  assertEquals([leased, await world.state()], [null, null]);
});

Deno.test("a session that leaves does not take another's later state with it", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "2");
  await world.set(one, "1");
  await world.leave(two);
  assertEquals([await world.state(), world.heard.at(-1)], ["1", "updated ann 1"]);
});

Deno.test("a state that ends with the membership is no event of its own, after a leave and a removal", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one, "1");
  await world.leave(one);
  await world.join(two, "2");
  await world.memberships.remove(lobby, "ann", null);
  assertEquals(world.heard, ["joined ann", "left ann LEFT", "joined ann", "left ann REMOVED"]);
  assertEquals([one, two].map(({ session }) => session.statefulRooms.size), [0, 0]);
});

Deno.test("a session that leaves and joins again at once keeps the state it joins with", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "1");
  await Promise.all([world.leave(two), world.join(two).then(() => world.set(two, "2"))]);
  const before = await world.state();
  await world.leave(two);
  assertEquals([before, await world.state()], ["2", null]);
});

Deno.test("a state that could not be dropped at the leave is logged, and goes when its session ends", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "1");
  world.failNext("setState", unavailable);
  const wasMember = await world.leave(two);
  const left = await world.state();
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  assertEquals([wasMember, left, await world.state()], [true, "1", null]);
  assertEquals(world.telemetry.events, ["state.failed"]);
});

Deno.test("a state goes when its session ends, also when the engine refused the leave", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  await world.set(two, "1");
  world.failNext("keep", unavailable);
  const { code } = await refusal(() => world.leave(two));
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  assertEquals([code, await world.state()], ["ENGINE_UNAVAILABLE", null]);
});

Deno.test("a session keeps its state when it is continued in time", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  await world.set(two, "1");
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS - 1);
  const again = world.connect("two");
  await world.advance(LINGER_MS * 2);
  assertEquals([again.continues, await world.state(), world.heard], [true, "1", ["joined ann", "updated ann 1"]]);
});

Deno.test("a session that ends does not take another's later state with it", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  await world.set(two, "2");
  await world.set(one, "1");
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  assertEquals([await world.state(), world.heard.at(-1)], ["1", "updated ann 1"]);
});

Deno.test("a state set without a session stays as long as the member", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  await world.set(two, "2");
  await world.states.set(lobby, { userId: "ann", session: undefined }, "3");
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  const during = await world.state();
  await world.leave(one);
  const { member } = await world.join(one);
  assertEquals([during, member.state], ["3", null]);
});

Deno.test("a state to join with is the session's, when the membership begins with it", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  const { member } = await world.join(two, "2");
  const { member: joinedAgain } = await world.join(one, "1");
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  assertEquals([member.state, joinedAgain.state, await world.state()], ["2", "2", null]);
  assertEquals(world.heard, ["joined ann", "updated ann null"]);
});

Deno.test("a state goes with the membership: the end of its session is no event any more", async () => {
  await using world = await openStateWorld();
  const connection = world.connect("one");
  await world.join(connection, "1");
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS + LINGER_MS);
  const { member } = await world.join(world.connect("one"));
  assertEquals([member.state, world.heard], [null, ["joined ann", "left ann DISCONNECTED", "joined ann"]]);
});

Deno.test("G9 a state set by a session that ends meanwhile goes at once", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  const setting = world.set(two, "2");
  two.close("DISCONNECTED");
  await setting;
  await world.advance(0);
  assertEquals([await world.state(), two.session.statefulRooms.size], [null, 0]);
  assertEquals(world.heard, ["joined ann", "updated ann 2", "updated ann null"]);
});

Deno.test("a state set by a session that waits meanwhile goes when it ends", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const connection of [one, two]) await world.join(connection);
  const setting = world.set(two, "2");
  two.close("DISCONNECTED");
  await setting;
  await world.advance(LINGER_MS - 1);
  const before = await world.state();
  await world.advance(1);
  assertEquals([before, await world.state()], ["2", null]);
});

Deno.test("states in more rooms than a session may be in are ROOM_LIMIT, and change nothing", async () => {
  await using world = await openStateWorld();
  const [one, other] = [world.connect("one"), world.connect("other")];
  const rooms = ["a", "b", "lobby"].map(parseRoomName);
  for (const room of rooms) await world.lease("over http", { room });
  for (const room of rooms.slice(0, 2)) {
    await world.states.set(room, { userId: "ann", session: one.session }, "1");
  }
  const error = await refusal(() => world.set(one, "1"));
  await world.states.set(rooms[0]!, { userId: "ann", session: one.session }, "2");
  const before = await world.state();
  await world.set(other, "1");
  assertEquals([error.code, error.limit, before, await world.state()], ["ROOM_LIMIT", 2, null, "1"]);
});

Deno.test("rooms a session's user is in no more do not count for its limit of states", async () => {
  await using world = await openStateWorld();
  const connection = world.connect("one");
  const rooms = ["a", "b", "c", "lobby"].map(parseRoomName);
  for (const room of rooms) {
    await world.lease("over http", { room });
    await world.states.set(room, { userId: "ann", session: connection.session }, "1");
    // The first one lasts.
    if (room !== rooms[0]) await world.memberships.leave("ann", { sessions: [], sessionId: "over http" }, room);
  }
  assertEquals([...connection.session.statefulRooms], [rooms[0]!, lobby]);
});

Deno.test("a state the engine refuses is told, and the session is none of those with one", async () => {
  await using world = await openStateWorld();
  const connection = world.connect("one");
  await world.join(connection);
  const codes: string[] = [];
  for (const method of ["member", "setState"] as const) {
    world.failNext(method, unavailable);
    codes.push((await refusal(() => world.set(connection, "1"))).code);
  }
  assertEquals([codes, connection.session.statefulRooms.size], [["ENGINE_UNAVAILABLE", "ENGINE_UNAVAILABLE"], 0]);
  assertEquals(world.heard, ["joined ann"]);
});

Deno.test("a state that could not be dropped is logged", async () => {
  await using world = await openStateWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.join(one);
  await world.set(two, "1");
  world.failNext("setState", unavailable);
  two.close("DISCONNECTED");
  await world.advance(LINGER_MS);
  assertEquals(world.telemetry.events, ["state.failed"]);
});

Deno.test("encodeState() takes any JSON value of up to 1,024 bytes and 32 levels", () => {
  const nested = (levels: number): unknown => levels === 0 ? 1 : [nested(levels - 1)];
  for (const state of [null, false, 0, "", { a: ["é"] }, "x".repeat(1_022), "é".repeat(511), nested(32)]) {
    assertEquals(encodeState(state), JSON.stringify(state));
  }
  for (const state of ["x".repeat(1_023), "é".repeat(512)]) {
    const error = assertThrows(() => encodeState(state), RealtimeError);
    assertEquals([error.code, error.limit], ["PAYLOAD_TOO_LARGE", 1_024]);
  }
  assertEquals(assertThrows(() => encodeState(nested(33)), RealtimeError).code, "BAD_USER_INPUT");
});

async function openStateWorld() {
  const world = await openMembershipWorld({ maxLeasedRooms: 10 });
  return {
    ...world,
    set: ({ session }: SessionConnection, json: string) =>
      world.states.set(lobby, { userId: session.userId, session }, json),
    state: async () => (await world.member())?.state,
  };
}
