import { assertEquals } from "@std/assert";
import type { Action, Authorize, Principal } from "../../src/core/auth.ts";
import type { RealtimeError } from "../../src/core/errors.ts";
import type { Caller } from "../../src/core/caller.ts";
import type { RoomName } from "../../src/core/room_name.ts";
import type { SessionConnection } from "../../src/core/sessions.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { GRACE_MS, unavailable } from "../support/membership_world.ts";
import { refusal } from "../support/refusal.ts";
import { callerOf, openRoomsWorld, overHttp } from "../support/rooms_world.ts";

const LOBBY = "lobby";

/** What nobody may any more, in words. */
class Denials {
  readonly #denied = new Set<string>();

  readonly authorize: Authorize = ({ userId }, action) => !this.#denied.has(`${userId} ${wordsOf(action)}`);

  /** Revokes the rights `"ann read lobby"`. */
  deny(...rights: readonly string[]): void {
    for (const right of rights) this.#denied.add(right);
  }
}

function wordsOf(action: Action): string {
  return "room" in action ? `${action.kind} ${action.room}` : action.kind;
}

type World = Awaited<ReturnType<typeof openRoomsWorld>>;

/** Follows messages, of a room or to everyone, and notes its end. */
async function follow({ rooms }: World, caller: Caller, room: string | null, { join = false } = {}) {
  const ends: RealtimeError[] = [];
  const request = await rooms.openMessages(caller, { room, event: null, after: null, last: null, join });
  const unfollow = await rooms.follow(caller, request, (error) => {
    unfollow("REMOVED");
    ends.push(error);
  });
  return {
    get ends() {
      return ends.map(({ code, message }) => `${code} ${message}`);
    },
    unfollow,
  };
}

Deno.test("reauthorize() ends the subscriptions that are not allowed any more, with the words of a refusal", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const ann = callerOf(world.connect("one"));
  const [lobby, attic, everyone] = [
    await follow(world, ann, LOBBY),
    await follow(world, ann, "attic"),
    await follow(world, ann, null),
  ];
  rights.deny("ann read lobby", "ann readEveryone");

  // What is answered at once is carried out before anything is awaited.
  const done = world.rooms.reauthorize({ userId: "ann" });
  const ends = [lobby.ends, attic.ends, everyone.ends];
  await done;
  await world.rooms.reauthorize({ userId: "ann" });

  const said = await refusal(() => world.rooms.look(ann, LOBBY));
  assertEquals(ends, [
    ['FORBIDDEN Cannot read room "lobby": not allowed'],
    [],
    ["FORBIDDEN Cannot read the messages to everyone: not allowed"],
  ]);
  assertEquals(ends[0], [`${said.code} ${said.message}`]);
  assertEquals(world.telemetry.records.map(({ event, fields }) => [event, fields]), [
    ["rights.revoked", { userId: "ann", subscriptions: 2, memberships: 0 }],
  ]);
});

Deno.test("reauthorize() of a user asks for nobody else, without one for everybody", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const followed = [];
  for (const userId of ["ann", "bob"]) {
    for (const room of [LOBBY, null]) followed.push(await follow(world, callerOf(world.connect("one", userId)), room));
  }
  rights.deny("ann read lobby", "bob read lobby", "ann readEveryone", "bob readEveryone");

  await world.rooms.reauthorize({ userId: "ann" });
  const first = followed.map(({ ends }) => ends.length);
  await world.rooms.reauthorize({});

  assertEquals([first, followed.map(({ ends }) => ends.length)], [[1, 1, 0, 0], [1, 1, 1, 1]]);
});

Deno.test("reauthorize() ends a membership with REMOVED, and what is only read goes on and holds nothing", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const ann = callerOf(world.connect("one"));
  const reading = await follow(world, ann, LOBBY);
  await world.rooms.join(ann, LOBBY, null);
  rights.deny("ann join lobby");

  await world.rooms.reauthorize({ userId: "ann" });

  assertEquals([reading.ends, world.heard], [[], ["joined ann", "left ann REMOVED"]]);
  reading.unfollow("COMPLETED");
  assertEquals([world.memberships.size, world.pendingTimers(), ann.session!.rooms.size], [0, 0, 0]);
});

for (const denied of ["ann read lobby", "ann join lobby"]) {
  Deno.test(`reauthorize() ends a subscription that joins, and its membership, without "${denied}"`, async () => {
    const rights = new Denials();
    await using world = await openRoomsWorld(rights);
    const joining = await follow(world, callerOf(world.connect("one")), LOBBY, { join: true });
    rights.deny(denied);

    await world.rooms.reauthorize({ userId: "ann" });
    await eventLoopTurn();

    assertEquals(joining.ends.length, 1);
    assertEquals(world.heard, ["joined ann", "left ann REMOVED"]);
    assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
  });
}

Deno.test("a membership that only a subscription holds ends at once, not after the grace", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const tab = world.connect("one");
  const reading = await follow(world, callerOf(world.connect("two")), LOBBY);
  await world.rooms.join(callerOf(tab), LOBBY, null);
  await world.rooms.leave(callerOf(tab), LOBBY);
  assertEquals([await world.sessionCount(), world.heard], [1, ["joined ann"]]);
  rights.deny("ann join lobby", "ann read lobby");

  await world.rooms.reauthorize({});

  assertEquals([reading.ends.length, world.heard], [1, ["joined ann", "left ann REMOVED"]]);
  assertEquals([world.memberships.size, world.pendingTimers()], [0, 0]);
});

/** A session whose principal a test changes, as a new token does. */
function connectAs(world: World, sessionId: string, scopes: readonly ("read" | "join")[]) {
  const caller: { principal: Principal } = {
    principal: { userId: "ann", scopes: new Set(scopes), expiresAtMs: null },
  };
  const connection: SessionConnection = world.sessions.connect({ userId: "ann", sessionId }, {
    get principal() {
      return caller.principal;
    },
    disconnect() {},
    refresh() {},
  });
  const { session } = connection;
  return { caller: Object.assign(caller, { sessionId, session, namesSession: true }), session };
}

Deno.test("reauthorize() of one session goes by its own rights, and leaves the user's others alone", async () => {
  await using world = await openRoomsWorld();
  const [one, two] = [connectAs(world, "one", ["read", "join"]), connectAs(world, "two", ["read", "join"])];
  const followed = [await follow(world, one.caller, LOBBY), await follow(world, two.caller, LOBBY)];
  for (const { caller } of [one, two]) await world.rooms.join(caller, LOBBY, null);
  for (const { caller } of [one, two]) caller.principal = { ...caller.principal, scopes: new Set() };

  await world.rooms.reauthorize({ userId: "ann", session: one.session });
  const after = [followed.map(({ ends }) => ends.length), await world.sessionCount(), [...world.heard]];
  await world.rooms.reauthorize({ userId: "ann", session: two.session });

  assertEquals(after, [[1, 0], 1, ["joined ann"]]);
  assertEquals([followed.map(({ ends }) => ends.length), world.heard], [[1, 1], ["joined ann", "left ann REMOVED"]]);
});

Deno.test("a membership stays while one session that holds it may join, and a session while one of its connections may", async () => {
  await using world = await openRoomsWorld();
  const [one, two] = [connectAs(world, "one", ["read", "join"]), connectAs(world, "two", ["join"])];
  const again = connectAs(world, "two", ["read"]);
  for (const { caller } of [one, two]) await world.rooms.join(caller, LOBBY, null);
  one.caller.principal = { ...one.caller.principal, scopes: new Set() };

  await world.rooms.reauthorize({ userId: "ann" });
  const during = await world.sessionCount();
  two.caller.principal = again.caller.principal;
  await world.rooms.reauthorize({ userId: "ann" });

  assertEquals([during, world.heard], [1, ["joined ann", "left ann REMOVED"]]);
});

/** An authorizer whose answers a test gives, each question in its turn. */
class Questions {
  /** Before this nothing is asked of the test. */
  held = false;
  readonly asked: { readonly words: string; answer(allowed: boolean): void }[] = [];

  readonly authorize: Authorize = ({ userId }, action) => {
    if (!this.held) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.asked.push({ words: `${userId} ${wordsOf(action)}`, answer: resolve });
    return promise;
  };
}

Deno.test("reauthorize() asks 100 questions at once and no more, and resolves when all are answered", async () => {
  const questions = new Questions();
  await using world = await openRoomsWorld(questions);
  const ann = callerOf(world.connect("one"));
  const followed = [];
  for (let at = 0; at < 250; at++) followed.push(await follow(world, ann, `room-${at}`));
  questions.held = true;
  let isDone = false;

  const done = world.rooms.reauthorize({ userId: "ann" }).then(() => isDone = true);
  const atOnce: number[] = [];
  while (!isDone) {
    await eventLoopTurn();
    const asked = questions.asked.splice(0);
    atOnce.push(asked.length);
    asked.forEach(({ answer }, index) => answer(index % 2 === 0));
  }
  await done;

  assertEquals([Math.max(...atOnce), atOnce.reduce((sum, count) => sum + count)], [100, 250]);
  assertEquals(followed.filter(({ ends }) => ends.length === 1).length, 125);
});

for (
  const [what, answer] of Object.entries({
    "throws": (): unknown => {
      throw new Error("the database is down");
    },
    "rejects": () => Promise.reject(new Error("the database is down")),
    "answers undefined": (): unknown => undefined,
    "answers 1": () => Promise.resolve(1),
  })
) {
  Deno.test(`an authorizer that ${what} has not said yes, at the beginning and later`, async () => {
    let fails = false;
    const authorize = (() => fails ? answer() : true) as Authorize;
    await using world = await openRoomsWorld({ authorize });
    const ann = callerOf(world.connect("one"));
    const followed = await follow(world, ann, LOBBY);
    fails = true;

    await world.rooms.reauthorize({});

    assertEquals([followed.ends.length, (await refusal(() => world.rooms.look(ann, LOBBY))).code], [1, "FORBIDDEN"]);
  });
}

Deno.test("a subscription that was being allowed while rights changed is asked again, and leaves nothing behind", async () => {
  const questions = new Questions();
  await using world = await openRoomsWorld(questions);
  questions.held = true;
  for (const room of [LOBBY, null]) {
    const beginning = refusal(() => follow(world, callerOf(world.connect("one")), room));
    await eventLoopTurn();
    const reauthorized = world.rooms.reauthorize({ userId: "bob" });
    questions.asked.shift()!.answer(true);
    await reauthorized;
    await eventLoopTurn();
    questions.asked.shift()!.answer(false);
    assertEquals((await beginning).code, "FORBIDDEN");
  }

  assertEquals([world.memberships.size, questions.asked], [0, []]);
  await world.rooms.reauthorize({});
  assertEquals(questions.asked, []);
});

Deno.test("a join that was being allowed while rights changed is asked again, and undone with REMOVED", async () => {
  const questions = new Questions();
  await using world = await openRoomsWorld(questions);
  const callers = [callerOf(world.connect("one")), overHttp("bob")];
  questions.held = true;
  for (const caller of callers) {
    const joining = refusal(() => world.rooms.join(caller, LOBBY, null));
    await eventLoopTurn();
    await world.rooms.reauthorize({});
    questions.asked.shift()!.answer(true);
    await eventLoopTurn();
    questions.asked.shift()!.answer(false);
    assertEquals((await joining).code, "FORBIDDEN");
  }

  assertEquals(world.heard, ["joined ann", "left ann REMOVED", "joined bob", "left bob REMOVED"]);
  assertEquals([world.memberships.size, callers[0]!.session!.rooms.size], [0, 0]);
});

Deno.test("a session that is being continued while rights change is asked again for its rooms", async () => {
  const questions = new Questions();
  await using world = await openRoomsWorld(questions);
  const first = world.connect("one");
  await world.rooms.join(callerOf(first), LOBBY, null);
  first.close("DISCONNECTED");
  const again = world.connect("one");
  questions.held = true;

  world.rooms.rejoin(callerOf(again), [...again.session.rooms]);
  await world.rooms.reauthorize({});
  questions.asked.shift()!.answer(true);
  await eventLoopTurn();
  questions.asked.shift()!.answer(false);
  await eventLoopTurn();

  assertEquals([world.heard, again.session.rooms.size], [["joined ann", "left ann REMOVED"], 0]);
});

Deno.test("a membership that the engine does not end now is logged, and ends when it can", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  await world.rooms.join(callerOf(world.connect("one")), LOBBY, null);
  rights.deny("ann join lobby");
  world.failNext("exit", unavailable);

  await world.rooms.reauthorize({});
  const during = [...world.heard];
  await world.advance(GRACE_MS);

  assertEquals([during, world.heard], [["joined ann"], ["joined ann", "left ann REMOVED"]]);
  assertEquals(world.telemetry.events, ["membership.failed", "rights.revoked"]);
});

Deno.test("who is removed by reauthorize() may come back once it may again", async () => {
  let isAllowed = true;
  await using world = await openRoomsWorld({ authorize: () => isAllowed });
  const ann = callerOf(world.connect("one"));
  await follow(world, ann, LOBBY, { join: true });
  isAllowed = false;
  await world.rooms.reauthorize({});
  isAllowed = true;

  const again = await follow(world, ann, LOBBY, { join: true });
  await world.rooms.reauthorize({});

  assertEquals([again.ends, world.heard], [[], ["joined ann", "left ann REMOVED", "joined ann"]]);
});

Deno.test("list() shows the rooms that may be looked at, in whole pages, and no place of another", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const ann = callerOf(world.connect("one"));
  const names = Array.from({ length: 60 }, (_, at) => `room-${String(at).padStart(2, "0")}`);
  for (const name of names) await world.rooms.join(overHttp(`user-${name}`), name, null);
  const hidden = names.filter((_name, at) => at % 3 > 0);
  rights.deny(...hidden.map((name) => `ann read ${name}`));

  const pages: (readonly RoomName[])[] = [];
  let after: { after?: RoomName } = {};
  for (;;) {
    const { rooms, hasMore } = await world.rooms.list(ann, { prefix: "", limit: 7, ...after });
    pages.push(rooms);
    if (!hasMore) break;
    after = { after: rooms.at(-1)! };
  }

  assertEquals(pages.flat().map(String), names.filter((name) => !hidden.includes(name)));
  assertEquals(pages.map(({ length }) => length), [7, 7, 6]);
});

Deno.test("a subscription that fails as it is ended keeps no other from being ended", async () => {
  const rights = new Denials();
  await using world = await openRoomsWorld(rights);
  const ann = callerOf(world.connect("one"));
  const request = await world.rooms.openMessages(ann, {
    room: LOBBY,
    event: null,
    after: null,
    last: null,
    join: false,
  });
  await world.rooms.follow(ann, request, () => {
    throw new Error("broken");
  });
  const other = await follow(world, ann, LOBBY);
  rights.deny("ann read lobby");

  await world.rooms.reauthorize({});

  assertEquals([other.ends.length, world.telemetry.events], [1, ["subscription.failed", "rights.revoked"]]);
});
