import { assertEquals } from "@std/assert";
import type { RealtimeError } from "../../src/core/errors.ts";
import { GRACE_MS, lobby, unavailable } from "../support/membership_world.ts";
import { peerOf } from "../support/peer_of.ts";
import { refusal } from "../support/refusal.ts";
import { callerOf, openRoomsWorld, overHttp } from "../support/rooms_world.ts";

const LOBBY = "lobby";

Deno.test("G7 join() holds by the session of an open connection, and by a lease without one", async () => {
  await using world = await openRoomsWorld();
  const joined = await world.rooms.join(callerOf(world.connect("one")), LOBBY, null);
  const leased = await world.rooms.join(overHttp("bob"), LOBBY, null);
  assertEquals([joined.member.sessionCount, joined.member.leasedUntilMs], [1, null]);
  assertEquals([leased.member.sessionCount, leased.member.leasedUntilMs], [0, world.clock.now() + 60_000]);
});

Deno.test("join() sets its state also for who is a member already", async () => {
  await using world = await openRoomsWorld();
  const caller = callerOf(world.connect("one"));
  const states: (string | null)[] = [];
  for (const state of [{ a: 1 }, [2], null]) {
    states.push((await world.rooms.join(caller, LOBBY, state)).member.state);
  }
  const { member } = await world.rooms.join(overHttp("ann"), LOBBY, 3);
  assertEquals([states, member.state], [[`{"a":1}`, "[2]", "[2]"], "3"]);
  assertEquals(world.heard, ["joined ann", "updated ann [2]", "updated ann 3"]);
});

Deno.test("G10 join(), setState(), remove(), disconnect() and list() ask first, and do nothing when refused", async () => {
  await using world = await openRoomsWorld();
  const { rooms } = world;
  await rooms.join(callerOf(world.connect("one")), LOBBY, null);
  const eve = callerOf(world.connect("one", "eve"), ["read", "send"]);
  const errors = [
    await refusal(() => rooms.join(eve, LOBBY, 1)),
    await refusal(() => rooms.setState(eve, LOBBY, 1)),
    await refusal(() => rooms.remove(eve, { room: LOBBY, userId: "ann", reason: null })),
    await refusal(() => rooms.disconnect(eve, { userId: "ann", reason: null })),
    await refusal(() => rooms.list(eve, { prefix: "", limit: 1 })),
  ];
  assertEquals(errors.map(({ code }) => code), Array.from(errors, () => "FORBIDDEN"));
  assertEquals(world.heard, ["joined ann"]);
});

Deno.test("a state too large to be kept is refused before the join", async () => {
  await using world = await openRoomsWorld();
  const error = await refusal(() => world.rooms.join(callerOf(world.connect("one")), LOBBY, "x".repeat(1_023)));
  assertEquals([error.code, world.heard], ["PAYLOAD_TOO_LARGE", []]);
});

Deno.test("G7 leave() ends the holds of the session it names, and the user's without one", async () => {
  await using world = await openRoomsWorld();
  const { rooms } = world;
  const callers = [callerOf(world.connect("one")), callerOf(world.connect("two"))];
  for (const caller of [...callers, overHttp("ann")]) await rooms.join(caller, LOBBY, null);
  const left = [
    await rooms.leave(callers[0]!, LOBBY),
    await rooms.leave({ ...overHttp("ann"), sessionId: "another", namesSession: true }, LOBBY),
  ];
  const during = await world.sessionCount();
  left.push(await rooms.leave(overHttp("ann"), LOBBY), await rooms.leave(callers[1]!, LOBBY));
  assertEquals([left.map(({ wasMember }) => wasMember), during], [[true, true, true, false], 1]);
  assertEquals(world.heard, ["joined ann", "left ann LEFT"]);
});

Deno.test("G7 rejoin() makes a continued session hold again what it had joined", async () => {
  await using world = await openRoomsWorld();
  const first = world.connect("one");
  await world.rooms.join(callerOf(first), LOBBY, null);
  first.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  const again = world.connect("one");
  world.rooms.rejoin(callerOf(again), [...again.session.rooms]);
  await world.advance(GRACE_MS * 2);
  assertEquals([again.continues, await world.sessionCount(), world.heard], [true, 1, ["joined ann"]]);
});

Deno.test("G10 rejoin() asks again: who may not join any more is forgotten, and leaves after the grace", async () => {
  let isAllowed = true;
  await using world = await openRoomsWorld({ authorize: () => isAllowed });
  const first = world.connect("one");
  await world.rooms.join(callerOf(first), LOBBY, null);
  first.close("DISCONNECTED");
  isAllowed = false;
  const again = world.connect("one");
  world.rooms.rejoin(callerOf(again), [...again.session.rooms]);
  await world.advance(GRACE_MS);
  again.close("DISCONNECTED");
  assertEquals([world.heard, again.session.rooms.size], [["joined ann", "left ann DISCONNECTED"], 0]);
  assertEquals([world.memberships.size, world.sessions.size, world.pendingTimers()], [0, 0, 0]);
});

Deno.test("rejoin() that the engine refuses is logged, and tried again with the next connection", async () => {
  await using world = await openRoomsWorld();
  const first = world.connect("one");
  await world.rooms.join(callerOf(first), LOBBY, null);
  first.close("DISCONNECTED");
  await world.advance(0);
  const second = world.connect("one");
  world.failNext("enter", unavailable);
  world.rooms.rejoin(callerOf(second), [...second.session.rooms]);
  await world.advance(0);
  second.close("DISCONNECTED");
  const third = world.connect("one");
  world.rooms.rejoin(callerOf(third), [...third.session.rooms]);
  await world.advance(GRACE_MS * 2);
  assertEquals([world.telemetry.events, third.continues], [["membership.failed"], true]);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
});

Deno.test("G7 remove() ends what the user follows of the room with FORBIDDEN and the reason", async () => {
  await using world = await openRoomsWorld();
  const { rooms } = world;
  const caller = callerOf(world.connect("one"));
  const errors: RealtimeError[] = [];
  for (const join of [true, false]) {
    const request = await rooms.openMessages(caller, { room: LOBBY, event: null, after: null, last: null, join });
    const unfollow = await rooms.follow(caller, request, (error) => {
      errors.push(error);
      unfollow("COMPLETED");
    });
  }
  const moderator = callerOf(world.connect("one", "mod"), ["moderate"]);
  const removed = await rooms.remove(moderator, { room: LOBBY, userId: "ann", reason: "spam" });
  const again = await rooms.remove(moderator, { room: LOBBY, userId: "ann", reason: null });
  assertEquals([removed, again], [{ room: lobby, wasMember: true }, { room: lobby, wasMember: false }]);
  const refusals = errors.map(({ code, message }) => [code, message]);
  assertEquals(refusals, Array.from(refusals, () => ["FORBIDDEN", `Removed from room "lobby": spam`]));
  assertEquals([refusals.length, world.heard], [2, ["joined ann", "left ann REMOVED"]]);
});

Deno.test("remove() and disconnect() refuse what is no user, and reasons of more than 100 characters", async () => {
  await using world = await openRoomsWorld();
  const admin = callerOf(world.connect("one", "root"));
  const reason = "x".repeat(101);
  const errors = [
    await refusal(() => world.rooms.remove(admin, { room: LOBBY, userId: "ann", reason })),
    await refusal(() => world.rooms.remove(admin, { room: LOBBY, userId: "", reason: null })),
    await refusal(() => world.rooms.disconnect(admin, { userId: "ann", reason })),
    await refusal(() => world.rooms.disconnect(admin, { userId: "a b ", reason: null })),
  ];
  assertEquals(errors.map(({ code }) => code), Array.from(errors, () => "BAD_USER_INPUT"));
  assertEquals([errors[0]!.limit, errors[2]!.limit], [100, 100]);
});

Deno.test("disconnect() closes the user's connections, and says whether there was one", async () => {
  await using world = await openRoomsWorld();
  const closed: string[] = [];
  for (const sessionId of ["one", "two"]) {
    world.sessions.connect({ userId: "ann", sessionId }, peerOf("ann", (reason) => void closed.push(reason)));
  }
  const admin = callerOf(world.connect("one", "root"));
  const answers = [
    await world.rooms.disconnect(admin, { userId: "ann", reason: "spam" }),
    await world.rooms.disconnect(admin, { userId: "bob", reason: null }),
  ];
  assertEquals([answers, closed], [[{ wasConnected: true }, { wasConnected: false }], ["spam", "spam"]]);
});

Deno.test("follow() of what is of no room, or by who has no connection, holds nothing", async () => {
  await using world = await openRoomsWorld();
  const caller = callerOf(world.connect("one"));
  const messages = { event: null, after: null, last: null };
  const everyone = await world.rooms.openMessages(caller, { ...messages, room: null, join: false });
  const room = await world.rooms.openMessages(caller, { ...messages, room: LOBBY, join: true });
  (await world.rooms.follow(caller, everyone, () => {}))("COMPLETED");
  (await world.rooms.follow(overHttp("ann"), room, () => {}))("COMPLETED");
  const error = await refusal(() => world.rooms.openMessages(caller, { ...messages, room: null, join: true }));
  assertEquals([error.code, world.heard, world.memberships.size], ["BAD_USER_INPUT", [], 0]);
});

Deno.test("G10 messages(join: true) needs the right to join as well as the right to read", async () => {
  await using world = await openRoomsWorld();
  const request = { room: LOBBY, event: null, after: null, last: null, join: true };
  for (const scopes of [["read"], ["join"]] as const) {
    const caller = callerOf(world.connect("one"), scopes);
    assertEquals((await refusal(() => world.rooms.openMessages(caller, request))).code, "FORBIDDEN", scopes[0]);
  }
});

Deno.test("G10 nothing that is refused has touched the engine: an answer takes as long where there is nothing", async () => {
  await using world = await openRoomsWorld({ authorize: ({ userId }) => userId !== "eve" });
  const { rooms, engine: { log, presence, directory } } = world;
  await rooms.join(callerOf(world.connect("one")), LOBBY, null);
  const eve = callerOf(world.connect("one", "eve"));
  const touched: string[] = [];
  for (const part of [log, presence, directory] as unknown as Record<string, () => unknown>[]) {
    for (
      const name of [
        "publish",
        "read",
        "top",
        "subscribe",
        "enter",
        "lease",
        "member",
        "members",
        "roomsOf",
        "setState",
        "remove",
        "rooms",
      ]
    ) {
      if (typeof part[name] === "function") part[name] = () => void touched.push(name);
    }
  }
  const message = { content: "", event: null, data: null, excludeSelf: false, idempotencyKey: null };
  const feed = { event: null, after: null, last: 10 };

  for (const room of [LOBBY, "a room that nobody has used"]) {
    const errors = [
      await refusal(() => rooms.look(eve, room)),
      await refusal(() => rooms.send(eve, { ...message, room })),
      await refusal(() => rooms.broadcast(eve, { ...message, room })),
      await refusal(() => rooms.join(eve, room, null)),
      await refusal(() => rooms.join(overHttp("eve"), room, null)),
      await refusal(() => rooms.setState(eve, room, 1)),
      await refusal(() => rooms.remove(eve, { room, userId: "ann", reason: null })),
      await refusal(() => rooms.openMessages(eve, { ...feed, room, join: true })),
      await refusal(() => rooms.openEvents(eve, { room, kinds: ["SNAPSHOT"], after: null })),
      await refusal(() => rooms.list(eve, { prefix: "", limit: 1 })),
    ];
    assertEquals(errors.map(({ code }) => code), Array.from(errors, () => "FORBIDDEN"));
  }
  const before = [...touched];
  await rooms.members(lobby, { limit: 1 });
  assertEquals([before, touched], [[], ["members"]]);
});
