import { assert, assertEquals, assertThrows } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { SelectionCounts } from "../../src/graphql/selection_counts.ts";
import { callerOf, openLiveWorld } from "../support/live_world.ts";

const ANN = { userId: "ann", address: undefined };

/** A selection that differs from others by its name. */
const selection = (name: number | string, room = "lobby") =>
  `subscription S${name} { messages(room: "${room}") { content } }`;

Deno.test("one distinct selection of a feed too many is SUBSCRIPTION_LIMIT; those that run are joined, and ending one makes room", async () => {
  await using world = await openLiveWorld();
  const subscribed = [];
  for (let name = 0; name < 1_000; name++) {
    // Not more than 50 by one user.
    subscribed.push(await world.subscribe(selection(name), callerOf(`user-${name % 20}`)));
  }

  const refused = await refusedOf(() => world.subscribe(selection("more")));
  const joined = await world.subscribe(selection(1), callerOf("bob"));
  await world.subscribe(selection("more", "another room"));

  assertEquals(refused.extensions, { code: "SUBSCRIPTION_LIMIT", limit: 1_000 });
  assertEquals(
    refused.message,
    'Cannot subscribe with another selection: "messages:lobby" is followed with 1000 different ones already',
  );
  assertEquals([world.live.size, world.live.members], [1_001, 1_002]);
  // How much a room is followed is not for who may not read it.
  const forbidden = await refusedOf(() => world.subscribe(selection("more"), callerOf("eve")));
  assertEquals(forbidden.extensions, { code: "FORBIDDEN" });

  subscribed[1]!.leave();
  await refusedOf(() => world.subscribe(selection("more")));
  joined.leave();
  await world.subscribe(selection("more"));
  assertEquals([world.live.size, world.live.members], [1_001, 1_001]);
});

Deno.test("one user's selections of a feed leave room for others'", async () => {
  await using world = await openLiveWorld();
  const subscribed = [];
  for (let name = 0; name < 50; name++) subscribed.push(await world.subscribe(selection(name)));

  const refused = await refusedOf(() => world.subscribe(selection("more")));
  await world.subscribe(selection("more"), callerOf("bob"));
  await world.subscribe(selection("more"));
  subscribed[0]!.leave();
  await world.subscribe(selection("again"));

  assertEquals(refused.extensions, { code: "SUBSCRIPTION_LIMIT", limit: 50 });
  assertEquals(
    refused.message,
    'Cannot subscribe with another selection: you follow "messages:lobby" with 50 different ones already',
  );
});

Deno.test("a selection that cannot be attached is not counted", async () => {
  await using world = await openLiveWorld();
  world.hub.close();

  for (let name = 0; name < 1_001; name++) {
    const refused = await refusedOf(() => world.subscribe(selection(name)));
    assertEquals(refused.extensions["code"], "SHUTTING_DOWN");
  }
  assertEquals(world.live.size, 0);
});

Deno.test("a node has at most 100,000 distinct selections, over all feeds", () => {
  const counts = new SelectionCounts();
  const removes = Array.from(
    { length: 100_000 },
    (_, index) => counts.add(`feed ${index % 1_000}`, { userId: `user ${index % 7_919}`, address: undefined }),
  );

  const refused = assertThrows(() => counts.add("one more feed", ANN), RealtimeError);
  removes[0]!();
  counts.add("one more feed", ANN);

  assertEquals([refused.code, refused.limit], ["SUBSCRIPTION_LIMIT", 100_000]);
  assertThrows(() => counts.add("feed 1", ANN), RealtimeError);
});

Deno.test("an event of a split selection with many viewers leaves others their turn, and keeps the order", async () => {
  await using world = await openLiveWorld({ own: (_event, _args, { viewer }) => viewer.principal.userId });
  const query = `subscription { messages(room: "lobby") { own content } }`;
  const members = [];
  for (let user = 0; user < 1_000; user++) {
    members.push((await world.subscribe(query, callerOf(`user-${user}`))).member);
  }

  let turns = 0;
  const timer = setInterval(() => turns++);
  for (const content of ["one", "two", "three"]) await world.send(content);
  await Promise.all(members.map((member) => member.has(3)));
  clearInterval(timer);

  assert(turns >= 3, `${turns} turns of others`);
  for (const { results, viewer } of members) {
    const own = viewer.principal.userId;
    assertEquals(
      results.map(({ data }) => data.messages),
      ["one", "two", "three"].map((content) => ({ own, content })),
    );
  }
});

Deno.test("at most 100 viewers' executions wait for their resolvers at once, and who leaves is not executed for", async () => {
  let waiting = 0;
  let most = 0;
  let executions = 0;
  const gate = Promise.withResolvers<void>();
  const full = Promise.withResolvers<void>();
  await using world = await openLiveWorld({
    own: async (_event, _args, { viewer }) => {
      const own = viewer.principal.userId;
      executions++;
      most = Math.max(most, ++waiting);
      if (waiting === 100) full.resolve();
      await gate.promise;
      waiting--;
      return own;
    },
  });
  const query = `subscription { messages(room: "lobby") { own } }`;
  const subscribed = [];
  for (let user = 0; user < 300; user++) subscribed.push(await world.subscribe(query, callerOf(`user-${user}`)));

  await world.send("one");
  await full.promise;
  for (const { leave } of subscribed.slice(200)) leave();
  gate.resolve();
  await Promise.all(subscribed.slice(0, 200).map(({ member }) => member.has(1)));

  assertEquals([most, executions], [100, 200]);
});

/** What a subscription is refused with. */
async function refusedOf(subscribe: () => Promise<unknown>) {
  try {
    await subscribe();
  } catch (error) {
    if (error instanceof AggregateError) return error.errors[0];
  }
  throw new Error("It was not refused");
}

Deno.test("guests of one address leave room in a feed and on a node for those of another", () => {
  const counts = new SelectionCounts();
  const guest = (number: number, address: string) => ({ userId: `guest-${number}`, address });
  const released = Array.from({ length: 200 }, (_, number) => counts.add("lobby", guest(number, "192.0.2.7")));

  const refused = assertThrows(() => counts.add("lobby", guest(200, "192.0.2.7")), RealtimeError);
  assertEquals([refused.code, refused.limit], ["SUBSCRIPTION_LIMIT", 200]);
  assertEquals(
    refused.message,
    'Cannot subscribe with another selection: from your address "lobby" is followed with 200 different ones already',
  );
  counts.add("lobby", guest(200, "192.0.2.8"));
  for (let number = 0; number < 9_800; number++) {
    released.push(counts.add(`feed ${number % 100}`, guest(number, "192.0.2.7")));
  }
  const full = assertThrows(() => counts.add("new feed", guest(1, "192.0.2.7")), RealtimeError);
  assertEquals([full.code, full.limit], ["SUBSCRIPTION_LIMIT", 10_000]);
  counts.add("new feed", guest(1, "192.0.2.8"));

  for (const release of released) release();
  counts.add("new feed", guest(1, "192.0.2.7"));
});
