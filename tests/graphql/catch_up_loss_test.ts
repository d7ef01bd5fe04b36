import { assertEquals } from "@std/assert";
import { messagesFeed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { openLaggingWorld, texts, turns } from "../support/lagging_world.ts";
import { callerOf } from "../support/live_world.ts";

const LOBBY = parseRoomName("lobby");
const LIVE = `subscription { messages(room: "lobby") { content } }`;
const AFTER = `subscription ($after: String) { messages(room: "lobby", after: $after) { content } }`;
const ANN = callerOf("ann");

Deno.test("G2 a loss while a member with a list is ahead of its node is told, with a new list", async () => {
  await using world = await openLaggingWorld();
  await world.follow();
  world.enter("ann");
  world.lag();
  world.enter("bob");
  const member = await world.follow();
  await member.has(1);
  await turns();
  world.lose();
  await turns();
  world.arrive();
  world.enter("cy");
  await turns();
  assertEquals(member.results.length > 2, true, JSON.stringify([texts(member), member.notices]));
});

Deno.test("G2 a gap that comes with an event the reader has already is told with the next one", async () => {
  await using world = await openLaggingWorld();
  await world.subscribe(LIVE);
  await world.send("a");
  world.lag();
  await world.send("b");
  const after = world.top(messagesFeed(LOBBY));
  const { member } = await world.subscribe(AFTER, ANN, { after });
  await turns();
  world.lose();
  world.arrive();
  await world.send("c");
  world.clock.advance(1_000);
  assertEquals(
    member.results.map(({ extensions: { recovered, gap } }) => recovered === false || gap),
    [true],
    JSON.stringify([member.notices, member.texts]),
  );
});

Deno.test("G2 a loss while what waited behind a list is being sent is told, with a new list", async () => {
  await using world = await openLaggingWorld();
  const given = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const member = await world.follow({ behind: given.promise });
  await turns();
  for (const userId of ["bob", "cy"]) world.enter(userId);
  given.resolve();
  await member.has(1);
  member.busy = () => gate.promise;
  await turns();
  world.lose();
  await turns();
  member.busy = () => undefined;
  gate.resolve();
  await turns();
  world.enter("dan");
  await turns();
  assertEquals(
    texts(member).filter((t) => !t.startsWith("+")).length,
    2,
    JSON.stringify([texts(member), member.notices]),
  );
});
