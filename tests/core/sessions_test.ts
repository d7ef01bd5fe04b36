import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Sessions } from "../../src/core/sessions.ts";
import { ManualClock } from "../support/manual_clock.ts";

const LINGER_MS = 10_000;

function createWorld() {
  const clock = new ManualClock();
  const lost: string[] = [];
  const sessions = new Sessions({
    clock,
    lingerMs: LINGER_MS,
    onDisconnected: (session, reason) => void lost.push(`${session.userId}/${session.id} ${reason}`),
  });
  return { clock, lost, sessions };
}

Deno.test("G9 a session is disconnected once, with its last connection", () => {
  const { lost, sessions } = createWorld();
  const [first, second] = [sessions.connect("ann", "s"), sessions.connect("ann", "s")];
  first.close("TIMEOUT");
  first.close("TIMEOUT");
  const before = [...lost];
  second.close("DISCONNECTED");
  assertStrictEquals(first.session, second.session);
  assertEquals([before, lost], [[], ["ann/s DISCONNECTED"]]);
});

Deno.test("a session can be continued for as long as it lingers", () => {
  const { clock, sessions } = createWorld();
  const first = sessions.connect("ann", "s");
  first.close("DISCONNECTED");
  clock.advance(LINGER_MS - 1);
  const second = sessions.connect("ann", "s");
  clock.advance(LINGER_MS * 2);
  assertStrictEquals(second.session, first.session);
  assertEquals([second.session.connections, sessions.size, clock.pending], [1, 1, 0]);
});

Deno.test("a session ends when it has lingered", () => {
  const { clock, sessions } = createWorld();
  const first = sessions.connect("ann", "s");
  first.close("DISCONNECTED");
  clock.advance(LINGER_MS);
  assertEquals(sessions.size, 0);
  assertNotStrictEquals(sessions.connect("ann", "s").session, first.session);
});

Deno.test("a continued session is disconnected again", () => {
  const { lost, sessions } = createWorld();
  sessions.connect("ann", "s").close("DISCONNECTED");
  sessions.connect("ann", "s").close("TIMEOUT");
  assertEquals(lost, ["ann/s DISCONNECTED", "ann/s TIMEOUT"]);
});

Deno.test("two users with one session id have two sessions", () => {
  const { sessions } = createWorld();
  const [ann, bob] = [sessions.connect("ann", "s"), sessions.connect("bob", "s")];
  assertEquals([ann.session === bob.session, sessions.size], [false, 2]);
});

Deno.test("find() gives the user's own session, while it has a connection", () => {
  const { sessions } = createWorld();
  const { session, close } = sessions.connect("ann", "s");
  const found = [sessions.find("ann", "s"), sessions.find("bob", "s"), sessions.find("ann", "t")];
  close("DISCONNECTED");
  assertEquals([found[0] === session, found[1], found[2]], [true, undefined, undefined]);
  assertEquals(sessions.find("ann", "s"), undefined);
});

Deno.test("G9 closed sessions leave no timer", () => {
  const { clock, sessions } = createWorld();
  sessions.connect("ann", "s").close("DISCONNECTED");
  sessions.close();
  assertEquals([sessions.size, clock.pending], [0, 0]);
});
