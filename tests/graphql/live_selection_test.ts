import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { callerOf, openLiveWorld } from "../support/live_world.ts";

const CONTENT = `subscription { messages(room: "lobby") { content } }`;

Deno.test("G12 one event is executed once for all who ask the same, whoever they are", async () => {
  let executions = 0;
  await using world = await openLiveWorld({ counted: () => String(++executions) });
  const query = `subscription { messages(room: "lobby") { counted } }`;
  const members = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => (await world.subscribe(query, callerOf(`user-${index}`))).member),
  );

  await world.send("one");
  await world.send("two");

  assertEquals([executions, world.live.size, world.live.members], [2, 1, 50]);
  for (const { results } of members) assertEquals(results.map(({ data }) => data.messages.counted), ["1", "2"]);
});

Deno.test("G12 every member of a selection gets the very same bytes", async () => {
  await using world = await openLiveWorld();
  const [{ member: first }, { member: second }] = [await world.subscribe(CONTENT), await world.subscribe(CONTENT)];

  await world.send("hello");

  assertEquals(first.texts, second.texts);
  assertEquals(Object.keys(first.results[0]), ["data", "extensions"]);
});

Deno.test("selections differ by document, by coerced variables and by room, not by how a variable is written", async () => {
  await using world = await openLiveWorld();
  const query = "subscription ($room: ID!) { messages(room: $room) { content } }";

  await world.subscribe(CONTENT);
  await world.subscribe(CONTENT + " ");
  for (const room of ["7", 7, "8"]) await world.subscribe(query, undefined, { room });

  assertEquals(world.live.size, 4);
});

Deno.test("the last member's leaving closes the selection and its feed, and leaving twice is nothing", async () => {
  await using world = await openLiveWorld();
  const [first, second] = [await world.subscribe(CONTENT), await world.subscribe(CONTENT)];

  first.leave();
  first.leave();
  assertEquals([world.live.members, world.hub.openFeeds], [1, 1]);
  second.leave();
  await Promise.resolve();

  assertEquals([world.live.size, world.hub.openFeeds], [0, 0]);
});

Deno.test("G10 authorization runs for every subscriber, also one who would share a running selection", async () => {
  await using world = await openLiveWorld();
  await world.subscribe(CONTENT, callerOf("ann"));

  const refusal = await assertRejects(() => world.subscribe(CONTENT, callerOf("eve")));

  assertStringIncludes(refusal.message, "not allowed");
  assertEquals(world.live.members, 1);
});

const LEAKS = {
  "a resolver that reads the viewer": (_source: unknown, _args: unknown, context: { viewer: { sessionId: string } }) =>
    context.viewer.sessionId,
  "one that reads it after an await": async (
    _source: unknown,
    _args: unknown,
    context: { viewer: { sessionId: string } },
  ) => {
    await Promise.resolve();
    return context.viewer.sessionId;
  },
  "one that hides the refusal": (_source: unknown, _args: unknown, context: { viewer: { sessionId: string } }) => {
    try {
      return context.viewer.sessionId;
    } catch {
      return "nobody";
    }
  },
  "one that copies the context": (_source: unknown, _args: unknown, context: { viewer: { sessionId: string } }) => {
    const copy = { ...context };
    return copy.viewer?.sessionId ?? "nobody";
  },
};

for (const [what, resolver] of Object.entries(LEAKS)) {
  Deno.test(`two viewers never see each other's value: ${what}`, async () => {
    await using world = await openLiveWorld({ own: resolver });
    const query = `subscription { messages(room: "lobby") { own content } }`;
    const { member: ann } = await world.subscribe(query, callerOf("ann"));
    const { member: bob } = await world.subscribe(query, callerOf("bob"));

    await world.send("one");
    await world.send("two");
    await Promise.all([ann.has(2), bob.has(2)]);

    for (const [member, own] of [[ann, "session of ann"], [bob, "session of bob"]] as const) {
      assertEquals(member.results.map(({ data }) => data.messages), [{ own, content: "one" }, { own, content: "two" }]);
    }
  });
}

Deno.test("the sender's asynchronous context does not reach the shared execution", async () => {
  const store = new AsyncLocalStorage<string>();
  await using world = await openLiveWorld({ seen: () => store.getStore() ?? "nothing" });
  const { member } = await world.subscribe(`subscription { messages(room: "lobby") { seen } }`);

  await store.run("the sender's secret", () => world.send("hello"));

  assertEquals(member.results[0].data.messages.seen, "nothing");
});

Deno.test("G1 asynchronous resolvers do not change the order of events", async () => {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  await using world = await openLiveWorld({
    slow: async ({ publication: { event } }) => {
      if (event.kind !== "message") return null;
      await gates.get(event.content)?.promise;
      return event.content;
    },
  });
  const { member } = await world.subscribe(`subscription { messages(room: "lobby") { slow } }`);
  gates.set("first", Promise.withResolvers());

  for (const content of ["first", "second", "third"]) await world.send(content);
  gates.get("first")!.resolve();
  await member.has(3);

  assertEquals(member.results.map(({ data }) => data.messages.slow), ["first", "second", "third"]);
});

Deno.test("resolvers that never answer end the selection after 1,000 events, instead of keeping more", async () => {
  await using world = await openLiveWorld({ never: () => new Promise(() => {}) });
  const { member } = await world.subscribe(`subscription { messages(room: "lobby") { never } }`);

  for (let sent = 0; sent < 1_002; sent++) await world.send("x");

  assertEquals(member.failures, ["Internal server error"]);
  assertStringIncludes(JSON.stringify(world.telemetry.records), "more than 1000 events behind");
});

Deno.test("a resolver's error reaches this selection's members alone, masked", async () => {
  await using world = await openLiveWorld({
    broken: () => {
      throw new Error("secret of the database");
    },
  });
  const { member: unlucky } = await world.subscribe(`subscription { messages(room: "lobby") { broken } }`);
  const { member: lucky } = await world.subscribe(CONTENT);

  await world.send("hello");

  const [{ message, extensions }] = unlucky.results[0].errors;
  assertEquals([message, extensions.code], ["Internal server error", "INTERNAL_SERVER_ERROR"]);
  assertEquals(unlucky.texts[0]!.includes("secret"), false);
  assertEquals([lucky.results[0].data, lucky.results[0].errors], [{ messages: { content: "hello" } }, undefined]);
});

Deno.test("excludeSelf skips the sender's session, known by user and session id together", async () => {
  await using world = await openLiveWorld();
  const { member: own } = await world.subscribe(CONTENT, callerOf("ann", "tab"));
  const { member: otherTab } = await world.subscribe(CONTENT, callerOf("ann", "other tab"));
  const { member: sameName } = await world.subscribe(CONTENT, callerOf("bob", "tab"));

  await world.send("hello", callerOf("ann", "tab"), true);

  assertEquals([own, otherTab, sameName].map(({ results }) => results.length), [0, 1, 1]);
});
