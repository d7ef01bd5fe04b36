import { assert, assertEquals, assertRejects } from "@std/assert";
import { callerOf, openLiveWorld, type RecordingMember } from "../support/live_world.ts";
import { seeded } from "../support/seeded.ts";

const LIVE = `subscription { messages(room: "lobby") { content } }`;
const AFTER = `subscription ($after: String) { messages(room: "lobby", after: $after) { content } }`;
const LAST = `subscription ($last: Int) { messages(room: "lobby", last: $last) { content } }`;

const contents = ({ results }: RecordingMember) => results.map(({ data }) => data.messages.content);
const notices = ({ results }: RecordingMember) =>
  results.map(({ extensions: { recovered, gap } }) => gap ?? recovered ?? null);

/** Resolves when what takes no time has happened. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

Deno.test("G5 a cursor yields exactly what followed it, then live events", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  for (const content of ["a", "b", "c"]) await world.send(content);
  const after = before.results[0].extensions.cursor;

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await member.has(2);
  await world.send("d");
  await member.has(3);

  assertEquals(contents(member), ["b", "c", "d"]);
  assertEquals(notices(member), [true, null, null]);
  assertEquals(member.start, after);
});

Deno.test("G5 a resume that missed nothing says so with its first live event", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  await world.send("a");

  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  await world.send("b");
  await member.has(1);
  await world.send("c");

  assertEquals([contents(member), notices(member)], [["b", "c"], [true, null]]);
});

Deno.test("c25 the pair in a cursor resumes the room and the messages to everyone, each from its own place", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  await world.send("room 1");
  await world.sendToEveryone("all 1");
  const after = before.results[1].extensions.cursor;
  await world.send("room 2");
  await world.sendToEveryone("all 2");
  await world.send("room 3");

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await member.has(3);

  assertEquals(contents(member), ["room 2", "room 3", "all 2"]);
  // Any of its own cursors goes on from there, and from no other place.
  const { member: again } = await world.subscribe(AFTER, undefined, {
    after: member.results[1].extensions.cursor,
  });
  await again.has(1);
  assertEquals(contents(again), ["all 2"]);
});

Deno.test("c12 1,000 random cuts under publishing: nothing is missing and nothing comes twice", async () => {
  await using world = await openLiveWorld();
  const random = seeded(20_261_123);
  const { member: witness } = await world.subscribe(LIVE);
  let published = 0;
  const publish = () => random() < 0.3 ? world.sendToEveryone(`all ${published++}`) : world.send(`room ${published++}`);
  await publish();

  for (let cut = 0; cut < 1_000; cut++) {
    const from = Math.floor(random() * witness.results.length);
    const after = witness.results[from].extensions.cursor;
    const publishing = Promise.all(Array.from({ length: Math.floor(random() * 4) }, publish));
    const { member, leave } = await world.subscribe(AFTER, undefined, { after });
    await publishing;
    const expected = contents(witness).slice(from + 1);
    await member.has(expected.length);

    assertEquals(contents(member).toSorted(), expected.toSorted(), `cut ${cut}`);
    for (const stream of ["room", "all"]) {
      const ofStream = (all: string[]) => all.filter((content) => content.startsWith(stream));
      assertEquals(ofStream(contents(member)), ofStream(expected), `order after cut ${cut}`);
    }
    leave();
    if (witness.results.length > 60) witness.results.splice(0, 40);
  }
  assertEquals(world.live.members, 1);
});

Deno.test("a cursor older than what is kept goes on from the oldest, and says that it has not recovered", async () => {
  await using world = await openLiveWorld({}, { history: { count: 3, ageMs: 300_000, bytes: 1_048_576 } });
  const { member: before } = await world.subscribe(LIVE);
  for (let sent = 0; sent < 10; sent++) await world.send(String(sent));

  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  await member.has(3);

  assertEquals([contents(member), notices(member)], [["7", "8", "9"], [false, null, null]]);
});

Deno.test("a cursor from another life of the log goes on from what is there, and says that it has not recovered", async () => {
  await using old = await openLiveWorld();
  const { member: before } = await old.subscribe(LIVE);
  await old.send("lost");
  await using world = await openLiveWorld();
  await world.send("new");

  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  await member.has(1);

  assertEquals([contents(member), notices(member)], [["new"], [false]]);
});

for (const after of ["", "nonsense", "1wrong~a.1-1~b.1-1", "2abc~x.1-1"]) {
  Deno.test(`the cursor ${JSON.stringify(after)} is refused as no cursor of this room`, async () => {
    await using world = await openLiveWorld();

    await assertRejects(() => world.subscribe(AFTER, undefined, { after }), Error, "cursor");

    assertEquals([world.live.members, world.hub.openFeeds], [0, 0]);
  });
}

Deno.test("last brings the room's newest, oldest first, then live events; it is no resume", async () => {
  await using world = await openLiveWorld();
  for (const content of ["a", "b", "c"]) await world.send(content);

  const { member } = await world.subscribe(LAST, undefined, { last: 2 });
  await member.has(2);
  await world.send("d");
  await member.has(3);
  const { member: more } = await world.subscribe(LAST, undefined, { last: 100 });
  await more.has(4);

  assertEquals([contents(member), notices(member)], [["b", "c", "d"], [null, null, null]]);
  assertEquals(contents(more), ["a", "b", "c", "d"]);
});

Deno.test("last in an empty room begins with the first event there is", async () => {
  await using world = await openLiveWorld();

  const { member } = await world.subscribe(LAST, undefined, { last: 5 });
  await world.send("first");
  await member.has(1);

  assertEquals(contents(member), ["first"]);
});

for (const variables of [{ last: 0 }, { last: 101 }, { last: 1, after: "x" }]) {
  Deno.test(`${JSON.stringify(variables)} is refused before anything is begun`, async () => {
    await using world = await openLiveWorld();
    const query = `subscription ($after: String, $last: Int) {
      messages(room: "lobby", after: $after, last: $last) { content }
    }`;

    await assertRejects(() => world.subscribe(query, undefined, variables), Error, "Cannot begin");

    assertEquals(world.live.size, 0);
  });
}

Deno.test("subscribers that differ only in where they begin share a selection", async () => {
  await using world = await openLiveWorld();
  const { member: first } = await world.subscribe(AFTER);
  await world.send("a");

  const { member: second } = await world.subscribe(AFTER, undefined, { after: first.results[0].extensions.cursor });
  await world.send("b");
  await second.has(1);

  assertEquals([world.live.size, world.live.members], [1, 2]);
});

Deno.test("G4 live events wait within bounds while a slow reader catches up, and come from history beyond them", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  for (let sent = 0; sent < 100; sent++) await world.send(String(sent));
  let taken = Promise.withResolvers<void>();
  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor }, (slow) => {
    slow.busy = () => taken.promise;
  });

  // The member takes nothing yet: more comes than may wait for it.
  for (let sent = 100; sent < 1_500; sent++) await world.send(String(sent));
  assertEquals(member.results.length, 0);
  const gate = taken;
  member.busy = () => undefined;
  gate.resolve();
  taken = gate;
  while (contents(member).at(-1) !== "1499") await member.has(member.results.length + 1);

  // 1,000 entries are kept: what was trimmed meanwhile is said, not skipped in silence.
  const kept = contents(member).map(Number);
  const holes = kept.flatMap((content, index) => index > 0 && content !== kept[index - 1]! + 1 ? [index] : []);
  assertEquals(kept.at(-1), 1_499);
  assertEquals(holes.map((index) => member.results[index].extensions.gap), holes.map(() => true));
  assertEquals(new Set(kept).size, kept.length);
});

Deno.test("what the sender kept from its own session is left out of its replay too, and the cursor moves on", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  await world.send("first");
  const after = before.results[0].extensions.cursor;
  await world.send("not to me", undefined, true);
  await world.send("to all");

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await member.has(1);

  assertEquals(contents(member), ["to all"]);
});

Deno.test("a subscriber that leaves while it catches up gets nothing more and leaves nothing behind", async () => {
  await using world = await openLiveWorld();
  const { member: before, leave: done } = await world.subscribe(LIVE);
  for (let sent = 0; sent < 200; sent++) await world.send(String(sent));
  const { member, leave } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });

  leave();
  const got = member.results.length;
  done();
  await world.send("later");

  assertEquals([member.results.length, world.live.size, world.hub.openFeeds], [got, 0, 0]);
});

/** A world whose events wait, each for its own gate, before their field `slow` is answered. */
async function openSlowWorld(readsViewer: boolean) {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const world = await openLiveWorld({
    slow: async ({ publication: { event } }, _args, context) => {
      if (event.kind !== "message") return null;
      if (readsViewer) context.viewer;
      await gates.get(event.content)?.promise;
      return event.content;
    },
  });
  return { world, gates, hold: (content: string) => gates.set(content, Promise.withResolvers()) };
}

for (const readsViewer of [false, true]) {
  const kind = readsViewer ? "executed per viewer" : "executed once";
  Deno.test(`a subscriber that resumes while events are being ${kind} misses none and gets none twice`, async () => {
    const { world, gates, hold } = await openSlowWorld(readsViewer);
    await using _world = world;
    const query = `subscription ($after: String) { messages(room: "lobby", after: $after) { slow } }`;
    const { member: before } = await world.subscribe(query);
    await world.send("m1");
    await before.has(1);
    const after = before.results[0].extensions.cursor;
    hold("m3");
    for (const content of ["m2", "m3", "m4"]) await world.send(content);

    const subscribing = world.subscribe(query, undefined, { after });
    const { member } = await subscribing;
    await world.send("m5");
    gates.get("m3")!.resolve();
    await Promise.all([member.has(4), before.has(5)]);
    await world.send("m6");
    await Promise.all([member.has(5), before.has(6)]);

    const slow = ({ results }: RecordingMember) => results.map(({ data }) => data.messages.slow);
    assertEquals(slow(member), ["m2", "m3", "m4", "m5", "m6"]);
    assertEquals(slow(before), ["m1", "m2", "m3", "m4", "m5", "m6"]);
  });
}

Deno.test("a subscriber gets nothing from before it began, also of events still being executed", async () => {
  const { world, gates, hold } = await openSlowWorld(false);
  await using _world = world;
  const query = `subscription { messages(room: "lobby") { slow } }`;
  const { member: early } = await world.subscribe(query);
  hold("m1");
  for (const content of ["m1", "m2"]) await world.send(content);

  const { member: late } = await world.subscribe(query);
  gates.get("m1")!.resolve();
  await early.has(2);
  await world.send("m3");
  await Promise.all([early.has(3), late.has(1)]);

  assertEquals(late.results.map(({ data }) => data.messages.slow), ["m3"]);
});

Deno.test("a resume that found everything says so ahead of the next event, which says it too", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE);
  await world.send("a");

  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  await turn();
  const told = [...member.notices];
  await world.send("b");
  await member.has(1);

  assertEquals([told, notices(member)], [[{ recovered: true }], [true]]);
});

Deno.test("G2 a resume that has lost something says so ahead, and stands where it was until an event has said it", async () => {
  await using old = await openLiveWorld();
  const { member: before } = await old.subscribe(LIVE);
  await old.send("lost");
  const after = before.results[0].extensions.cursor;
  await using world = await openLiveWorld();

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await turn();
  const told = [[...member.notices], member.place];
  await world.send("b");
  await member.has(1);
  world.clock.advance(1_000);

  assertEquals(told, [[{ recovered: false }], undefined]);
  assertEquals([notices(member), member.place], [[false], member.results[0].extensions.cursor]);
});

Deno.test("G2 nobody is told to be past a loss that no event has said yet", async () => {
  await using world = await openLiveWorld();
  const { member: sender } = await world.subscribe(LIVE);
  const { member: other } = await world.subscribe(LIVE, callerOf("bob"));
  await world.send("before");
  world.clock.advance(1_000);
  const { place } = sender;

  world.lose();
  world.clock.advance(1_000);
  await world.send("not to its sender", undefined, true);
  world.clock.advance(1_000);

  assertEquals([sender.place, sender.notices], [place, [{ gap: true }, { gap: true }]]);
  assertEquals([other.place, other.notices], [other.results[1].extensions.cursor, [{ gap: true }]]);
  assertEquals(notices(other), [null, true]);
});

Deno.test("G2 what both streams have lost is said once, with the first event", async () => {
  await using old = await openLiveWorld();
  const { member: before } = await old.subscribe(LIVE);
  await old.send("lost");
  await old.sendToEveryone("lost too");
  const after = before.results[1].extensions.cursor;
  await using world = await openLiveWorld();
  await world.send("room");
  await world.sendToEveryone("all");

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await member.has(2);

  assertEquals([contents(member), notices(member)], [["room", "all"], [false, null]]);
});

Deno.test("G2 a resume whose first stream is whole says all the same that the other is not", async () => {
  await using world = await openLiveWorld({}, { history: { count: 2, ageMs: 300_000, bytes: 1_048_576 } });
  const { member: before } = await world.subscribe(LIVE);
  await world.sendToEveryone("0");
  await world.send("room 1");
  const after = before.results[1].extensions.cursor;
  await world.send("room 2");
  for (const content of ["1", "2", "3"]) await world.sendToEveryone(content);

  const { member } = await world.subscribe(AFTER, undefined, { after });
  await member.has(3);

  assertEquals([contents(member), notices(member)], [["room 2", "2", "3"], [false, null, null]]);
});

Deno.test("G4 a page of missed events is bounded in bytes: the next is read when it has been taken", async () => {
  await using world = await openLiveWorld({}, { history: { count: 1_000, ageMs: 300_000, bytes: 16_777_216 } });
  const { member: before } = await world.subscribe(LIVE);
  for (let sent = 0; sent < 41; sent++) await world.send(`${sent} ${"x".repeat(65_000)}`);
  const reads: number[] = [];
  const { read } = world.core.log;
  world.core.log.read = (stream, range) => {
    const page = read.call(world.core.log, stream, range);
    if (range.limit > 1) reads.push(page.entries.length);
    return page;
  };

  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  await member.has(40);

  assertEquals(reads.slice(0, 10), Array(10).fill(4));
});

Deno.test("G4 others have their turn between the pages of what one missed, also when nothing in them is for it", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE, callerOf("bob"));
  await world.send("first");
  for (let sent = 0; sent < 640; sent++) await world.send(String(sent), undefined, true);
  await world.send("last", callerOf("bob"));
  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });

  let turns = 0;
  for (; member.results.length === 0; turns++) await turn();

  assertEquals(contents(member), ["last"]);
  assert(turns >= 9, `${turns} turns`);
});

Deno.test("G2 a loss that was owed to a member that caught up is told once it has its place", async () => {
  await using world = await openLiveWorld();
  const { member: before } = await world.subscribe(LIVE, callerOf("bob"));
  await world.send("a");
  await world.send("b");
  const { member } = await world.subscribe(AFTER, undefined, { after: before.results[0].extensions.cursor });
  world.lose();
  await world.send("not to its sender", undefined, true);
  await member.has(1);
  for (let turns = 0; turns < 3; turns++) await turn();

  await world.send("c");
  await member.has(2);

  assertEquals([contents(member), notices(member)], [["b", "c"], [true, true]]);
});
