import { assertEquals, assertStringIncludes } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { callerOf, openLiveWorld, type RecordingMember } from "../support/live_world.ts";
import { createWrittenSchema } from "../support/written_schema.ts";

const PLAIN = `subscription { messages(room: "lobby") { content } }`;
const BROKEN = `subscription { messages(room: "lobby") { content broken } }`;
const ANN = callerOf("ann");
const BOB = callerOf("bob");

const messagesOf = ({ results }: RecordingMember) => results.map(({ data }) => data?.messages ?? null);
const codesOf = ({ results }: RecordingMember) =>
  results.map(({ errors }) => errors?.map(({ extensions }: { extensions: { code: string } }) => extensions.code) ?? []);

/** Ways for a resolver to fail. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  "an error that is thrown": () => {
    throw new Error("secret of the database");
  },
  "a promise that rejects": () => Promise.reject(new Error("secret of the database")),
  "a promise that rejects later": async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("secret of the database");
  },
  "a text that is thrown": () => {
    throw "secret of the database";
  },
  "nothing that is thrown": () => {
    throw undefined;
  },
  "an error that is returned": () => new Error("secret of the database"),
  "a promise that rejects with an object": () => Promise.reject({ secret: "secret of the database" }),
};

for (const [what, broken] of Object.entries(FAILURES)) {
  Deno.test(`${what} reaches exactly the subscribers of that selection, masked, beside what did not fail`, async () => {
    await using world = await openLiveWorld({ broken });
    const { member: first } = await world.subscribe(BROKEN, ANN);
    const { member: second } = await world.subscribe(BROKEN, BOB);
    const { member: lucky } = await world.subscribe(PLAIN, ANN);

    for (const content of ["one", "two"]) await world.send(content);
    await Promise.all([first, second, lucky].map((member) => member.has(2)));

    assertEquals(first.texts, second.texts);
    assertEquals(messagesOf(first), [{ content: "one", broken: null }, { content: "two", broken: null }]);
    assertEquals(codesOf(first), [["INTERNAL_SERVER_ERROR"], ["INTERNAL_SERVER_ERROR"]]);
    assertEquals(first.texts.some((text) => text.includes("secret")), false);
    assertEquals(messagesOf(lucky), [{ content: "one" }, { content: "two" }]);
    assertEquals(codesOf(lucky), [[], []]);
    // An event that failed moves its readers on like any other.
    assertEquals(first.results.map(({ extensions }) => extensions), lucky.results.map(({ extensions }) => extensions));
    assertEquals([first, second, lucky].flatMap(({ failures }) => failures), []);
  });
}

Deno.test("a refusal that a resolver throws keeps its code and its message", async () => {
  await using world = await openLiveWorld({
    broken: () => {
      throw new RealtimeError("NOT_FOUND", "Cannot find it");
    },
  });
  const { member } = await world.subscribe(BROKEN, ANN);

  await world.send("one");

  const { message, path, extensions } = member.results[0].errors[0];
  assertEquals([message, path, extensions.code], ["Cannot find it", ["messages", "broken"], "NOT_FOUND"]);
});

Deno.test("an error in a field that must not be null leaves no data, and the subscription goes on", async () => {
  const schema = createWrittenSchema("type Event { content: String broken: String! }", {
    Event: {
      content: ({ publication }) => publication.event.content,
      broken: ({ publication }) => publication.event.content === "one" ? null : "whole",
    },
  });
  await using world = await openLiveWorld(schema);
  const { member } = await world.subscribe(BROKEN, ANN);

  for (const content of ["one", "two"]) await world.send(content);

  assertEquals(messagesOf(member), [null, { content: "two", broken: "whole" }]);
  assertEquals(codesOf(member), [["INTERNAL_SERVER_ERROR"], []]);
});

Deno.test("an error in one viewer's execution reaches that viewer alone", async () => {
  await using world = await openLiveWorld({
    broken: async (_event, _args, { viewer }) => {
      if (viewer.principal.userId === "bob") await Promise.reject(new Error("secret of bob"));
      return viewer.principal.userId;
    },
  });
  const { member: ann } = await world.subscribe(BROKEN, ANN);
  const { member: bob } = await world.subscribe(BROKEN, BOB);

  for (const content of ["one", "two"]) await world.send(content);
  await Promise.all([ann.has(2), bob.has(2)]);

  assertEquals(messagesOf(ann), [{ content: "one", broken: "ann" }, { content: "two", broken: "ann" }]);
  assertEquals(messagesOf(bob), [{ content: "one", broken: null }, { content: "two", broken: null }]);
  assertEquals([codesOf(ann), codesOf(bob)], [[[], []], [["INTERNAL_SERVER_ERROR"], ["INTERNAL_SERVER_ERROR"]]]);
});

/** A field whose value JSON has no word for, where it is asked to. */
const UNWRITABLE = "scalar Any type Event { content: String any: Any }";

Deno.test("a value that cannot be written as JSON is an error of that selection, and nothing is lost", async () => {
  const schema = createWrittenSchema(UNWRITABLE, { Event: { any: () => 1n } });
  await using world = await openLiveWorld(schema);
  const { member } = await world.subscribe(`subscription { messages(room: "lobby") { any } }`, ANN);
  const { member: lucky } = await world.subscribe(`subscription { messages(room: "lobby") { __typename } }`, ANN);

  for (const content of ["one", "two"]) await world.send(content);

  assertEquals([messagesOf(member), codesOf(member)], [[null, null], [
    ["INTERNAL_SERVER_ERROR"],
    ["INTERNAL_SERVER_ERROR"],
  ]]);
  assertEquals(member.results.map(({ extensions }) => extensions), lucky.results.map(({ extensions }) => extensions));
  assertStringIncludes(JSON.stringify(world.telemetry.records), "BigInt");
});

Deno.test("G1 a value of one viewer that cannot be written as JSON changes nobody else's order", async () => {
  const gates = new Map([["one", Promise.withResolvers<void>()], ["two", Promise.withResolvers<void>()]]);
  const schema = createWrittenSchema(UNWRITABLE, {
    Event: {
      content: ({ publication }) => publication.event.content,
      any: async ({ publication }, _args, { viewer }) => {
        if (viewer.principal.userId === "bob") return 1n;
        await gates.get(publication.event.content)!.promise;
        return viewer.principal.userId;
      },
    },
  });
  await using world = await openLiveWorld(schema);
  const query = `subscription { messages(room: "lobby") { content any } }`;
  const { member: bob } = await world.subscribe(query, BOB);
  const { member: ann } = await world.subscribe(query, ANN);

  for (const content of ["one", "two"]) await world.send(content);
  gates.get("two")!.resolve();
  await bob.has(1);
  gates.get("one")!.resolve();
  await Promise.all([ann.has(2), bob.has(2)]);

  assertEquals(messagesOf(ann), [{ content: "one", any: "ann" }, { content: "two", any: "ann" }]);
  assertEquals(ann.results.map(({ extensions }) => extensions.gap), [undefined, undefined]);
  assertEquals([messagesOf(bob), codesOf(bob)], [[null, null], [["INTERNAL_SERVER_ERROR"], ["INTERNAL_SERVER_ERROR"]]]);
});

for (const splits of [false, true]) {
  Deno.test(`an error in what was missed reaches who missed it, and the rest follows${splits ? ", split by viewer" : ""}`, async () => {
    await using world = await openLiveWorld({
      broken: async ({ publication: { event } }, _args, context) => {
        if (splits) void context.viewer;
        if (event.kind === "message" && event.content === "two") await Promise.reject(new Error("secret"));
        return "whole";
      },
    });
    const query = `subscription ($last: Int) { messages(room: "lobby", last: $last) { content broken } }`;
    for (const content of ["one", "two", "three"]) await world.send(content);

    const { member } = await world.subscribe(query, ANN, { last: 3 });
    await member.has(3);
    await world.send("four");
    await member.has(4);

    assertEquals(messagesOf(member).map(({ content, broken }) => [content, broken]), [
      ["one", "whole"],
      ["two", null],
      ["three", "whole"],
      ["four", "whole"],
    ]);
    assertEquals(codesOf(member), [[], ["INTERNAL_SERVER_ERROR"], [], []]);
    assertEquals(member.failures, []);
  });
}

Deno.test("what was missed and cannot be written as JSON is an error, and no end", async () => {
  const schema = createWrittenSchema(UNWRITABLE, { Event: { any: () => 1n } });
  await using world = await openLiveWorld(schema);
  for (const content of ["one", "two"]) await world.send(content);

  const query = `subscription { messages(room: "lobby", last: 2) { any } }`;
  const { member } = await world.subscribe(query, ANN);
  await member.has(2);

  assertEquals([codesOf(member), member.failures], [[["INTERNAL_SERVER_ERROR"], ["INTERNAL_SERVER_ERROR"]], []]);
});
