import { assertEquals } from "@std/assert";
import { messagesFeed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { contents, openLaggingWorld, texts, turns } from "../support/lagging_world.ts";
import { callerOf } from "../support/live_world.ts";

const LOBBY = parseRoomName("lobby");
const LIVE = `subscription { messages(room: "lobby") { content } }`;
const AFTER = `subscription ($after: String) { messages(room: "lobby", after: $after) { content } }`;
const ANN = callerOf("ann");

for (const newest of ["c", "d"]) {
  Deno.test(`G3 a cursor past what its node has delivered, of an engine that has come to ${newest}: nothing comes twice or is lost`, async () => {
    await using world = await openLaggingWorld();
    const { member: witness } = await world.subscribe(LIVE);
    await world.send("a");
    world.lag();
    for (const content of ["b", "c"]) await world.send(content);
    const after = world.top(messagesFeed(LOBBY));
    if (newest === "d") await world.send("d");

    const { member } = await world.subscribe(AFTER, ANN, { after });
    await turns();
    world.arrive(2);
    if (newest === "c") await world.send("d");
    const early = contents(member);
    world.arrive();
    await world.send("e");

    assertEquals([early, contents(member)], [[], ["d", "e"]]);
    assertEquals(member.results.map(({ extensions: { recovered } }) => recovered), [true, undefined]);
    assertEquals(contents(witness), ["a", "b", "c", "d", "e"]);
  });
}

Deno.test("G5 who is ahead of its node is told of no place behind its own, and of the node's once it has passed", async () => {
  await using world = await openLaggingWorld();
  await world.subscribe(LIVE);
  await world.send("a");
  world.lag();
  for (const content of ["b", "c"]) await world.send(content);
  const after = world.top(messagesFeed(LOBBY));

  const { member } = await world.subscribe(AFTER, ANN, { after });
  await turns();
  const places = [member.place];
  for (let arrived = 0; arrived < 2; arrived++) {
    world.arrive(1);
    world.clock.advance(1_000);
    places.push(member.place);
  }
  await world.send("d");
  world.arrive();
  world.clock.advance(1_000);

  assertEquals([places, member.place], [[after, after, after], world.top(messagesFeed(LOBBY))]);
});

Deno.test("G5 a resume whose room is ahead of its node misses none of the messages to everyone", async () => {
  await using world = await openLaggingWorld();
  await world.subscribe(LIVE);
  await world.send("a");
  world.lag();
  await world.send("b");
  const after = world.top(messagesFeed(LOBBY));
  await world.sendToEveryone("all 1");

  const { member } = await world.subscribe(AFTER, ANN, { after });
  await member.has(1);
  await turns();
  const place = member.results[0].extensions.cursor;
  const top = world.top(messagesFeed(LOBBY));
  await world.sendToEveryone("all 2");
  world.arrive();
  await world.send("c");

  assertEquals([contents(member), place], [["all 1", "all 2", "c"], top]);
});

Deno.test("G3 a message to everyone that is read from history while it is being executed live does not come twice", async () => {
  const executed = Promise.withResolvers<void>();
  await using world = await openLaggingWorld({
    content: async ({ publication: { event } }) => {
      if (event.kind !== "message") return null;
      if (event.content === "all 1") await executed.promise;
      return event.content;
    },
  });
  const { member: witness } = await world.subscribe(LIVE);
  await world.send("a");
  await witness.has(1);
  const after = world.top(messagesFeed(LOBBY));
  await world.sendToEveryone("all 1");

  const { member } = await world.subscribe(AFTER, ANN, { after });
  await turns();
  executed.resolve();
  await turns();
  await world.send("b");
  await turns();

  assertEquals([contents(member), contents(witness)], [["all 1", "b"], ["a", "all 1", "b"]]);
});

Deno.test("G3 who joins before its list of members is taken is on it, and is not told of again", async () => {
  await using world = await openLaggingWorld();
  world.enter("ann");
  const taken = Promise.withResolvers<void>();
  const member = await world.follow({ before: taken.promise });
  for (const userId of ["bob", "cy"]) world.enter(userId);
  await turns();
  const early = [...texts(member)];

  taken.resolve();
  await member.has(1);
  await turns();
  world.enter("dan");

  assertEquals([early, texts(member)], [[], ["ann bob cy", "+dan"]]);
});

Deno.test("G2 who joins after its list of members is taken is told of behind it, once", async () => {
  await using world = await openLaggingWorld();
  world.enter("ann");
  const given = Promise.withResolvers<void>();
  const member = await world.follow({ behind: given.promise });
  await turns();
  for (const userId of ["bob", "cy"]) world.enter(userId);

  given.resolve();
  await member.has(3);
  world.enter("dan");

  assertEquals(texts(member), ["ann", "+bob", "+cy", "+dan"]);
});

Deno.test("G2 a state that changes after the list of members was taken is told, though it has no place of its own", async () => {
  await using world = await openLaggingWorld();
  world.enter("ann");
  const given = Promise.withResolvers<void>();
  const member = await world.follow({ behind: given.promise });
  await turns();
  world.change("ann");

  given.resolve();
  await member.has(2);

  assertEquals(texts(member), ["ann", "~ann"]);
});

Deno.test("G2 who joins while a slow reader has not taken what waited is told of once, in order", async () => {
  await using world = await openLaggingWorld();
  world.enter("ann");
  const gates = { taken: Promise.withResolvers<void>(), reader: Promise.withResolvers<void>() };
  const member = await world.follow({ before: gates.taken.promise });
  world.enter("bob");
  member.busy = () => gates.reader.promise;
  gates.taken.resolve();
  await turns();
  world.enter("cy");
  await turns();
  const early = [...texts(member)];

  member.busy = () => undefined;
  gates.reader.resolve();
  await member.has(2);
  world.enter("dan");

  assertEquals([early, texts(member)], [[], ["ann bob", "+cy", "+dan"]]);
});

Deno.test("G3 a list of members that is ahead of its node: what the node delivers late does not come again", async () => {
  await using world = await openLaggingWorld();
  await world.follow();
  world.enter("ann");
  world.lag();
  for (const userId of ["bob", "cy"]) world.enter(userId);

  const member = await world.follow();
  await member.has(1);
  await turns();
  world.arrive(1);
  await turns();
  world.arrive(1);
  world.enter("dan");
  world.arrive();

  assertEquals(texts(member), ["ann bob cy", "+dan"]);
});

Deno.test("G3 a resume behind which a node lags gets what it missed before its list of members, and not again", async () => {
  await using world = await openLaggingWorld();
  const witness = await world.follow();
  await witness.has(1);
  await turns();
  world.enter("ann");
  const after = witness.results[1].extensions.cursor;
  world.lag();
  for (const userId of ["bob", "cy"]) world.enter(userId);

  const member = await world.follow({ after });
  await member.has(3);
  await turns();
  world.enter("dan");
  world.arrive();

  assertEquals(texts(member), ["+bob", "+cy", "ann bob cy", "+dan"]);
  assertEquals(texts(witness), ["", "+ann", "+bob", "+cy", "+dan"]);
});

Deno.test("G2 who was ahead of its node has its own place once the node has passed it: a loss brings a new list", async () => {
  await using world = await openLaggingWorld();
  await world.follow();
  world.enter("ann");
  world.lag();
  world.enter("bob");
  const member = await world.follow();
  await member.has(1);
  await turns();
  world.enter("cy");
  world.arrive();

  world.lose();
  await member.has(3);

  assertEquals(texts(member), ["ann bob", "+cy", "ann bob cy"]);
});
