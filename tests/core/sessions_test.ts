import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { parseRoomName } from "../../src/core/room_name.ts";
import { type SessionConnection, Sessions } from "../../src/core/sessions.ts";
import { peerOf } from "../support/peer_of.ts";
import { ManualClock } from "../support/manual_clock.ts";

const LINGER_MS = 10_000;
const lobby = parseRoomName("lobby");

function createWorld() {
  const clock = new ManualClock();
  const lost: string[] = [];
  const ended: string[] = [];
  const closed: string[] = [];
  const refreshed: string[] = [];
  const sessions = new Sessions({
    clock,
    lingerMs: LINGER_MS,
    listener: {
      disconnected: (session, reason) => void lost.push(`${session.userId}/${session.id} ${reason}`),
      ended: (session) => void ended.push(`${session.userId}/${session.id}`),
    },
  });
  const connect = (userId: string, sessionId: string): SessionConnection =>
    sessions.connect({ userId, sessionId }, {
      ...peerOf(userId, (reason) => void closed.push(`${userId}/${sessionId} ${reason}`)),
      refresh: (principal) => void refreshed.push(`${userId}/${sessionId} ${principal.expiresAtMs}`),
    });
  return {
    clock,
    lost,
    ended,
    closed,
    refreshed,
    sessions,
    connect,
    /** Connects a session that has joined a room: there is something to continue. */
    connectJoined(userId: string, sessionId: string): SessionConnection {
      const connection = connect(userId, sessionId);
      connection.session.rooms.add(lobby);
      return connection;
    },
  };
}

Deno.test("G9 a session is disconnected once, with its last connection", () => {
  const { lost, connect } = createWorld();
  const [first, second] = [connect("ann", "s"), connect("ann", "s")];
  first.close("TIMEOUT");
  first.close("TIMEOUT");
  const before = [[...lost], second.session.connections];
  second.close("DISCONNECTED");
  assertStrictEquals(first.session, second.session);
  assertEquals([before, lost, second.session.connections], [[[], 1], ["ann/s DISCONNECTED"], 0]);
});

Deno.test("a session can be continued for as long as it lingers", () => {
  const { clock, ended, sessions, connectJoined, connect } = createWorld();
  const first = connectJoined("ann", "s");
  first.close("DISCONNECTED");
  clock.advance(LINGER_MS - 1);
  const second = connect("ann", "s");
  clock.advance(LINGER_MS * 2);
  assertStrictEquals(second.session, first.session);
  assertEquals([first.continues, second.continues, [...second.session.rooms]], [false, true, [lobby]]);
  assertEquals([second.session.connections, sessions.size, clock.pending, ended], [1, 1, 0, []]);
});

Deno.test("a session ends when it has lingered", () => {
  const { clock, lost, ended, sessions, connectJoined, connect } = createWorld();
  const first = connectJoined("ann", "s");
  first.close("TIMEOUT");
  clock.advance(LINGER_MS - 1);
  const before = [...ended];
  clock.advance(1);
  assertEquals([lost, before, ended, sessions.size, clock.pending], [["ann/s TIMEOUT"], [], ["ann/s"], 0, 0]);
  const second = connect("ann", "s");
  assertNotStrictEquals(second.session, first.session);
  assertEquals(second.continues, false);
});

Deno.test("a session that set a state lingers, also when it joined no room", () => {
  const { clock, ended, connect } = createWorld();
  const first = connect("ann", "s");
  first.session.statefulRooms.add(lobby);
  first.close("DISCONNECTED");
  const before = [...ended];
  const second = connect("ann", "s");
  second.close("DISCONNECTED");
  clock.advance(LINGER_MS);
  assertEquals([before, second.continues, ended], [[], true, ["ann/s"]]);
});

Deno.test("G9 a session with nothing to continue ends with its last connection", () => {
  const { clock, lost, ended, sessions, connect } = createWorld();
  const first = connect("ann", "s");
  first.close("DISCONNECTED");
  const after = [[...lost], [...ended], sessions.size, clock.pending];
  const second = connect("ann", "s");
  assertEquals(after, [["ann/s DISCONNECTED"], ["ann/s"], 0, 0]);
  assertEquals([second.continues, second.session === first.session], [false, false]);
});

Deno.test("only the connection that continues a session says so", () => {
  const { connect, connectJoined } = createWorld();
  const first = connectJoined("ann", "s");
  const beside = connect("ann", "s");
  first.close("DISCONNECTED");
  beside.close("DISCONNECTED");
  const continued = [connect("ann", "s"), connect("ann", "s")];
  assertEquals([beside, ...continued].map(({ continues }) => continues), [false, true, false]);
});

Deno.test("a continued session is disconnected again", () => {
  const { lost, connect, connectJoined } = createWorld();
  connectJoined("ann", "s").close("DISCONNECTED");
  connect("ann", "s").close("TIMEOUT");
  assertEquals(lost, ["ann/s DISCONNECTED", "ann/s TIMEOUT"]);
});

Deno.test("two users with one session id have two sessions", () => {
  const { sessions, connect } = createWorld();
  const [ann, bob] = [connect("ann", "s"), connect("bob", "s")];
  assertEquals([ann.session === bob.session, sessions.size], [false, 2]);
});

Deno.test("find() gives the user's own session, while it has a connection", () => {
  const { sessions, connectJoined } = createWorld();
  const { session, close } = connectJoined("ann", "s");
  const found = [sessions.find("ann", "s"), sessions.find("bob", "s"), sessions.find("ann", "t")];
  close("DISCONNECTED");
  assertEquals([found[0] === session, found[1], found[2]], [true, undefined, undefined]);
  assertEquals(sessions.find("ann", "s"), undefined);
});

Deno.test("disconnect() closes every connection of a user, in all sessions, and nobody else's", () => {
  const { sessions, closed, connect, connectJoined } = createWorld();
  for (const sessionId of ["s", "s", "t"]) connect("ann", sessionId);
  connectJoined("ann", "gone").close("DISCONNECTED");
  connect("bob", "s");
  assertEquals(sessions.disconnect("ann", "bye"), true);
  assertEquals(closed, ["ann/s bye", "ann/s bye", "ann/t bye"]);
});

Deno.test("disconnect() answers false for who has no connection", () => {
  const { sessions, closed, connectJoined } = createWorld();
  connectJoined("ann", "s").close("DISCONNECTED");
  assertEquals([sessions.disconnect("ann", "bye"), sessions.disconnect("bob", "bye"), closed], [false, false, []]);
});

Deno.test("disconnect() ends what closes at once, and what closes later too", () => {
  const { sessions, ended } = createWorld();
  const connections: SessionConnection[] = [];
  const connect = (closesAtOnce: boolean): void => {
    const at = connections.length;
    const disconnect = (): void => closesAtOnce ? connections[at]!.close("DISCONNECTED") : undefined;
    connections.push(sessions.connect({ userId: "ann", sessionId: `s${at}` }, peerOf("ann", disconnect)));
  };
  for (const closesAtOnce of [true, false, true]) connect(closesAtOnce);
  sessions.disconnect("ann", "bye");
  const atOnce = [...ended];
  connections[1]!.close("DISCONNECTED");
  assertEquals([atOnce, ended, sessions.size], [["ann/s0", "ann/s2"], ["ann/s0", "ann/s2", "ann/s1"], 0]);
});

Deno.test("G9 closed sessions leave no timer, and tell nobody of an end", () => {
  const { clock, ended, sessions, connectJoined } = createWorld();
  connectJoined("ann", "s").close("DISCONNECTED");
  sessions.close();
  clock.advance(LINGER_MS);
  assertEquals([sessions.size, clock.pending, ended], [0, 0, []]);
});
