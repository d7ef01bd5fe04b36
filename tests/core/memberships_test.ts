import { assertEquals, assertRejects } from "@std/assert";
import type { Presence } from "../../src/core/engine.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { decodeEntry } from "../../src/core/event.ts";
import { Memberships } from "../../src/core/memberships.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { type SessionConnection, Sessions } from "../../src/core/sessions.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { openMemoryWorld } from "../support/memory_world.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

const lobby = parseRoomName("lobby");
const GRACE_MS = 10_000;
const unavailable = new RealtimeError("ENGINE_UNAVAILABLE", "Cannot reach the engine: down");
const unknown = new RealtimeError("ENGINE_OUTCOME_UNKNOWN", "Cannot tell what the engine did: no answer");

Deno.test("G7 two sessions of a user are one join and one leave, and the member counts both", async () => {
  await using world = await openWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.memberships.join(one.session, lobby);
  const member = await world.memberships.join(two.session, lobby);
  const left = [await world.leave(one), await world.leave(two), await world.leave(two)];
  assertEquals([member.sessionCount, left], [2, [true, true, false]]);
  assertEquals(await world.events(), ["joined", "left LEFT"]);
});

Deno.test("leaving with one of two sessions keeps the membership with one session", async () => {
  await using world = await openWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const { session } of [one, two]) await world.memberships.join(session, lobby);
  await world.leave(one);
  assertEquals([await world.sessionCount(), await world.events()], [1, ["joined"]]);
});

Deno.test("leaving with all sessions ends the membership at once", async () => {
  await using world = await openWorld();
  for (const id of ["one", "two"]) await world.memberships.join(world.connect(id).session, lobby);
  await world.memberships.leave("ann", "all", lobby);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left LEFT"], 0]);
});

Deno.test("G7 a lost connection is a leave only when the grace has passed", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  connection.close("TIMEOUT");
  await world.advance(GRACE_MS - 1);
  const before = [await world.events(), await world.sessionCount()];
  await world.advance(1);
  assertEquals([before, await world.events()], [[["joined"], 0], ["joined", "left TIMEOUT"]]);
  assertEquals(world.memberships.size, 0);
});

Deno.test("G7 joining again within the grace is no event, by whichever session", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  connection.close("DISCONNECTED");
  await world.advance(GRACE_MS - 1);
  const member = await world.memberships.join(world.connect("two").session, lobby);
  await world.advance(GRACE_MS * 2);
  assertEquals([member.sessionCount, await world.events(), await world.sessionCount()], [1, ["joined"], 1]);
});

Deno.test("leaving within the grace ends the membership at once", async () => {
  await using world = await openWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  await world.memberships.join(one.session, lobby);
  one.close("DISCONNECTED");
  await world.leave(two);
  assertEquals(await world.events(), ["joined", "left LEFT"]);
});

Deno.test("one of two sessions that loses its connection is not counted any more, and nobody leaves", async () => {
  await using world = await openWorld();
  const [one, two] = [world.connect("one"), world.connect("two")];
  for (const { session } of [one, two]) await world.memberships.join(session, lobby);
  one.close("DISCONNECTED");
  await world.advance(GRACE_MS * 2);
  assertEquals([await world.events(), await world.sessionCount()], [["joined"], 1]);
});

Deno.test("G9 a session that was gone before it joined holds nothing beyond the grace", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  connection.close("DISCONNECTED");
  await world.memberships.join(connection.session, lobby);
  await world.advance(GRACE_MS);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left DISCONNECTED"], 0]);
});

Deno.test("joining more rooms than a session may hold is ROOM_LIMIT, and changes nothing", async () => {
  await using world = await openWorld();
  const { session } = world.connect("one");
  for (const name of ["a", "b"]) await world.memberships.join(session, parseRoomName(name));
  const error = await refusal(() => world.memberships.join(session, lobby));
  await world.memberships.join(session, parseRoomName("a"));
  assertEquals([error.code, error.limit, world.memberships.size], ["ROOM_LIMIT", 2, 2]);
  assertEquals(await world.events(), []);
});

Deno.test("a join the engine refused leaves no hold, and can be tried again", async () => {
  await using world = await openWorld();
  const { session } = world.connect("one");
  world.failNext(unavailable);
  const error = await refusal(() => world.memberships.join(session, lobby));
  const after = [session.memberships.size, world.memberships.size];
  await world.memberships.join(session, lobby);
  assertEquals([error.code, after, await world.events()], ["ENGINE_UNAVAILABLE", [0, 0], ["joined"]]);
});

Deno.test("a join whose outcome is unknown is undone when nobody tries again", async () => {
  await using world = await openWorld();
  world.failNext(unknown, { afterwards: true });
  await refusal(() => world.memberships.join(world.connect("one").session, lobby));
  await world.advance(GRACE_MS);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left DISCONNECTED"], 0]);
});

Deno.test("a failed join within the grace does not keep the membership for ever", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  connection.close("DISCONNECTED");
  await world.advance(1);
  world.failNext(unavailable);
  await refusal(() => world.memberships.join(world.connect("two").session, lobby));
  await world.advance(GRACE_MS);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left DISCONNECTED"], 0]);
});

Deno.test("a leave after the grace that the engine refused is tried again", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  connection.close("DISCONNECTED");
  await world.advance(0);
  world.failNext(unavailable);
  await world.advance(GRACE_MS);
  const before = [await world.events(), world.telemetry.events];
  await world.advance(1_000);
  assertEquals(before, [["joined"], ["membership.failed"]]);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left DISCONNECTED"], 0]);
});

Deno.test("a leave the engine refused is told, and tried again with its own reason", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  world.failNext(unavailable);
  await refusal(() => world.leave(connection));
  await world.advance(1_000);
  assertEquals([await world.events(), world.memberships.size], [["joined", "left LEFT"], 0]);
});

Deno.test("joins and leaves of one moment reach the engine in their order", async () => {
  await using world = await openWorld();
  const connection = world.connect("one");
  const steps = [];
  for (let at = 0; at < 3; at++) {
    steps.push(world.memberships.join(connection.session, lobby), world.leave(connection));
  }
  await Promise.all(steps);
  assertEquals(await world.events(), ["joined", "left LEFT", "joined", "left LEFT", "joined", "left LEFT"]);
});

Deno.test("G9 closed memberships leave no timer", async () => {
  await using world = await openWorld();
  const before = world.pendingTimers();
  const connection = world.connect("one");
  await world.memberships.join(connection.session, lobby);
  connection.close("DISCONNECTED");
  world.memberships.close();
  world.sessions.close();
  await eventLoopTurn();
  assertEquals([world.pendingTimers() - before, world.memberships.size], [0, 0]);
});

async function openWorld() {
  const world = await openMemoryWorld();
  const [{ log, presence }] = world.nodes;
  const telemetry = new RecordingTelemetry();
  const failures: { readonly error: Error; readonly afterwards: boolean }[] = [];
  const mayFail = async <T>(call: () => Promise<T>): Promise<T> => {
    const failure = failures.shift();
    if (failure?.afterwards) await call();
    if (failure !== undefined) throw failure.error;
    return await call();
  };
  const failing: Presence = {
    ...presence,
    enter: (...args) => mayFail(() => presence.enter(...args)),
    exit: (...args) => mayFail(() => presence.exit(...args)),
  };
  const memberships = new Memberships({
    presence: failing,
    clock: world.clock,
    telemetry,
    leaveGraceMs: GRACE_MS,
    maxRoomsPerSession: 2,
  });
  const sessions = new Sessions({
    clock: world.clock,
    lingerMs: 10_000,
    onDisconnected: (session, reason) => memberships.disconnected(session, reason),
  });
  return {
    memberships,
    sessions,
    telemetry,
    connect: (sessionId: string) => sessions.connect("ann", sessionId),
    leave: ({ session }: SessionConnection) => memberships.leave("ann", [session], lobby),
    /** Makes the next call to the engine fail, without or after having been executed. */
    failNext: (error: Error, { afterwards = false } = {}) => void failures.push({ error, afterwards }),
    pendingTimers: () => world.clock.pending,
    sessionCount: async () => (await presence.member(lobby, "ann"))?.sessionCount,
    async advance(ms: number): Promise<void> {
      await eventLoopTurn();
      world.clock.advance(ms);
      await eventLoopTurn();
    },
    async events(): Promise<string[]> {
      const { entries } = await log.read(eventsOf(lobby), { limit: 100 });
      return entries.map((entry) => decodeEntry(eventsOf(lobby), entry).event).map((event) =>
        event.kind === "left" ? `left ${event.reason}` : event.kind
      );
    },
    async [Symbol.asyncDispose](): Promise<void> {
      memberships.close();
      sessions.close();
      await world.close();
    },
  };
}

function refusal(call: () => Promise<unknown>): Promise<RealtimeError> {
  return assertRejects(call, RealtimeError);
}
