import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import type { GraphQLScalarType } from "graphql";
import type { Context } from "../../src/graphql/context.ts";
import { LiveSource } from "../../src/graphql/live_source.ts";
import { callerOf, openLiveWorld, type RecordingMember } from "../support/live_world.ts";
import { createWrittenSchema, type WrittenResolvers } from "../support/written_schema.ts";

const TYPES = `
  scalar Any
  scalar Opaque
  input Options { label: String }
  type Event { content: String own(options: Options, opaque: Opaque, day: Any): String any: Any place: Place! places: [Place!]! actor: Actor }
  type Place { own: String place: Place }
  interface Actor { name: String }
  type Self implements Actor { name: String own: String }
  type Other implements Actor { name: String own: String }
`;
const OWN = `subscription { messages(room: "lobby") { own content } }`;
const ANN = callerOf("ann", "ann's");
const BOB = callerOf("bob", "bob's");

const sessionOf = ({ viewer }: Context): string => viewer.sessionId;
const dataOf = ({ results }: RecordingMember) => results.map(({ data }) => data.messages);

/** One way to look at the viewer: what is resolved and asked, and what each viewer is to get. */
interface Look {
  readonly resolvers: WrittenResolvers;
  readonly query?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly expected?: (own: string) => unknown;
}

/** A look at the viewer in the field `own`. */
const own = (resolve: WrittenResolvers[string][string]): Look => ({ resolvers: { Event: { own: resolve } } });

const CACHE = Symbol("cache");
const byContext = new WeakMap<object, string>();
const bySource = new WeakMap<object, string>();

const LOOKS: Readonly<Record<string, Look>> = {
  "a resolver": own((_event, _args, context) => sessionOf(context)),
  "an asynchronous one, before it waits": own(async (_event, _args, context) => {
    const session = sessionOf(context);
    await Promise.resolve();
    return session;
  }),
  "an asynchronous one, after it has waited": own(async (_event, _args, context) => {
    await new Promise((resolve) => setImmediate(resolve));
    return sessionOf(context);
  }),
  "one that takes its context apart": own((_event, _args, { viewer: { sessionId } }) => sessionId),
  "one that takes the rest of its context": own((_event, _args, { rooms: _rooms, ...rest }) => rest.viewer.sessionId),
  "one that expects nobody": own((_event, _args, context) => context.viewer?.sessionId ?? "nobody"),
  "one that hides the refusal": own((_event, _args, context) => {
    try {
      return sessionOf(context);
    } catch {
      return "nobody";
    }
  }),
  "one that hides it, asynchronously": own((_event, _args, context) =>
    Promise.resolve().then(() => sessionOf(context)).catch(() => "nobody")
  ),
  "one that copies the context": own((_event, _args, context) => ({ ...context }).viewer?.sessionId ?? "nobody"),
  "one that lists the context's keys": own((_event, _args, context) =>
    String(Object.keys(context).includes("viewer")) && sessionOf(context)
  ),
  "one that looks whether there is a viewer": own((_event, _args, context) =>
    "viewer" in context ? sessionOf(context) : "nobody"
  ),
  "one that looks whether a viewer is its context's own": own((_event, _args, context) =>
    Object.hasOwn(context, "viewer") ? sessionOf(context) : "nobody"
  ),
  "one that asks for the property itself": own((_event, _args, context) =>
    Object.getOwnPropertyDescriptor(context, "viewer")?.value.sessionId ?? "nobody"
  ),
  "one that stringifies the context": own((_event, _args, context) =>
    JSON.parse(JSON.stringify(context)).viewer.sessionId
  ),
  "one that makes another context of it": own((_event, _args, context) => sessionOf(Object.create(context))),
  "one that keeps something in the context, under a symbol": own((_event, _args, context) => {
    const cache = context as Context & { [CACHE]?: { session?: string } };
    cache[CACHE] ??= {};
    return cache[CACHE]!.session ??= sessionOf(context);
  }),
  "one that keeps something by context": own((_event, _args, context) => {
    if (!byContext.has(context)) byContext.set(context, sessionOf(context));
    return byContext.get(context);
  }),
  "one that keeps something by event": own((event, _args, context) => {
    if (!bySource.has(event)) bySource.set(event, sessionOf(context));
    return bySource.get(event);
  }),
  "one that keeps something in the event": own((event, _args, context) => event.own ??= sessionOf(context)),
  "one that keeps something in what was sent": own((event, _args, context) =>
    event.publication.event.own ??= sessionOf(context)
  ),
  "one that keeps something in the root value": own((_event, _args, context, { rootValue }) =>
    (rootValue as { own?: string }).own ??= sessionOf(context)
  ),
  "one that keeps something in its arguments": {
    resolvers: { Event: { own: (_event, { options }, context) => options.label ??= sessionOf(context) } },
    query: `subscription ($options: Options) { messages(room: "lobby") { own(options: $options) } }`,
    variables: { options: {} },
    expected: (own) => ({ own }),
  },
  "one that leaves the look to whoever writes the result": {
    resolvers: { Event: { any: (_event, _args, context) => ({ toJSON: () => sessionOf(context) }) } },
    query: `subscription { messages(room: "lobby") { own: any content } }`,
  },
  "the resolver of a nested field": {
    resolvers: {
      Event: { place: () => ({ place: {} }) },
      Place: { own: (_place, _args, context) => sessionOf(context) },
    },
    query: `subscription { messages(room: "lobby") { place { place { own } } } }`,
    expected: (own) => ({ place: { place: { own } } }),
  },
  "the resolver of a list's items": {
    resolvers: {
      Event: { places: () => [{ at: 1 }, { at: 2 }] },
      Place: { own: ({ at }, _args, context) => `${at} of ${sessionOf(context)}` },
    },
    query: `subscription { messages(room: "lobby") { places { own } } }`,
    expected: (own) => ({ places: [{ own: `1 of ${own}` }, { own: `2 of ${own}` }] }),
  },
  "a field in a named fragment": {
    ...own((_event, _args, context) => sessionOf(context)),
    query: `subscription { messages(room: "lobby") { ...Parts } } fragment Parts on Event { own content }`,
  },
  "a field in an inline fragment": {
    ...own((_event, _args, context) => sessionOf(context)),
    query: `subscription { messages(room: "lobby") { ... on Event { own } ... { content } } }`,
  },
  "a field under two aliases": {
    ...own((_event, _args, context) => sessionOf(context)),
    query: `subscription { all: messages(room: "lobby") { one: own two: own } }`,
    expected: (own) => ({ one: own, two: own }),
  },
  "a field that a variable includes": {
    ...own((_event, _args, context) => sessionOf(context)),
    query: `subscription ($yes: Boolean!, $no: Boolean!) {
      messages(room: "lobby") { own @include(if: $yes) other: own @include(if: $no) content @skip(if: $no) }
    }`,
    variables: { yes: true, no: false },
  },
  "what chooses the type": {
    resolvers: {
      Event: { actor: () => ({ name: "somebody" }) },
      Actor: { __resolveType: (_actor, _args, context) => sessionOf(context) === "ann's" ? "Self" : "Other" },
    },
    query: `subscription { messages(room: "lobby") { actor { name ... on Self { __typename } } } }`,
    expected: (own) => ({ actor: { name: "somebody", ...(own === "ann's" ? { __typename: "Self" } : {}) } }),
  },
};

const CONTENT = (event: { publication: { event: { content: string } } }) => event.publication.event.content;

function lookingSchema(resolvers: WrittenResolvers) {
  return createWrittenSchema(TYPES, { ...resolvers, Event: { content: CONTENT, ...resolvers["Event"] } });
}

for (const [who, { resolvers, query = OWN, variables = {}, expected }] of Object.entries(LOOKS)) {
  Deno.test(`two viewers never see each other's value: ${who}`, async () => {
    await using world = await openLiveWorld(lookingSchema(resolvers));
    const { member: ann } = await world.subscribe(query, ANN, variables);
    const { member: bob } = await world.subscribe(query, BOB, variables);

    for (const content of ["one", "two"]) await world.send(content);
    await Promise.all([ann.has(2), bob.has(2)]);
    const { member: late } = await world.subscribe(query, callerOf("carl", "carl's"), variables);
    await world.send("three");
    await late.has(1);

    for (
      const [{ results }, own, contents] of [[ann, "ann's", ["one", "two"]], [bob, "bob's", ["one", "two"]], [
        late,
        "carl's",
        ["three"],
      ]] as const
    ) {
      for (const [index, content] of contents.entries()) {
        const { data, errors } = results[index];
        assertEquals([Object.values(data)[0], errors], [expected?.(own) ?? { own, content }, undefined]);
      }
    }
  });
}

Deno.test("two sessions of one user are two viewers", async () => {
  await using world = await openLiveWorld({ own: (_event, _args, context) => sessionOf(context) });
  const members = [];
  for (const session of ["tab", "phone"]) members.push((await world.subscribe(OWN, callerOf("ann", session))).member);

  await world.send("one");
  await Promise.all(members.map((member) => member.has(1)));

  assertEquals(members.map((member) => dataOf(member)[0].own), ["tab", "phone"]);
});

Deno.test("a split selection is executed once per viewer and event, however many subscriptions one has", async () => {
  let executions = 0;
  await using world = await openLiveWorld({
    own: (_event, _args, context) => {
      const session = sessionOf(context);
      executions++;
      return session;
    },
  });
  const members: RecordingMember[] = [];
  for (const caller of [ANN, ANN, ANN, BOB, BOB]) members.push((await world.subscribe(OWN, caller)).member);

  for (const content of ["one", "two", "three"]) await world.send(content);
  await Promise.all(members.map((member) => member.has(3)));

  assertEquals([executions, world.live.size], [6, 1]);
});

Deno.test("a resolver that looks who is asking from the fourth event on splits from there", async () => {
  let executions = 0;
  await using world = await openLiveWorld({
    own: ({ publication: { event } }, _args, context) => {
      executions++;
      return event.kind === "message" && event.content > "3" ? sessionOf(context) : "anybody";
    },
  });
  const { member: ann } = await world.subscribe(OWN, ANN);
  const { member: bob } = await world.subscribe(OWN, BOB);

  for (const content of ["1", "2", "3"]) await world.send(content);
  const shared = executions;
  for (const content of ["4", "5"]) await world.send(content);
  await Promise.all([ann.has(5), bob.has(5)]);

  assertEquals(shared, 3);
  for (const [member, own] of [[ann, "ann's"], [bob, "bob's"]] as const) {
    assertEquals(dataOf(member).map((message) => message.own), ["anybody", "anybody", "anybody", own, own]);
  }
});

Deno.test("a context that is kept shows no viewer at a later event, and splits the selection", async () => {
  let kept: Context | undefined;
  await using world = await openLiveWorld({
    own: (_event, _args, context) => {
      try {
        return kept === undefined ? "nobody yet" : sessionOf(kept);
      } catch {
        return "nobody";
      } finally {
        kept ??= context;
      }
    },
  });
  const { member: ann } = await world.subscribe(OWN, ANN);
  const { member: bob } = await world.subscribe(OWN, BOB);

  for (const content of ["1", "2"]) await world.send(content);
  await Promise.all([ann.has(2), bob.has(2)]);

  assertEquals([ann, bob].map((member) => dataOf(member).map((message) => message.own)), [
    ["nobody yet", "nobody"],
    ["nobody yet", "nobody"],
  ]);
});

/** Ways to go on when the result has long been sent. */
const LEFTOVERS: Readonly<Record<string, (work: () => void) => void>> = {
  "a timer": (work) => void setTimeout(work),
  "a promise nobody waits for": (work) => void new Promise((resolve) => setImmediate(resolve)).then(work),
};

for (const [what, begin] of Object.entries(LEFTOVERS)) {
  Deno.test(`${what} that looks who is asking after the event ends nothing, and knows who it is from the next event on`, async () => {
    const tried: PromiseWithResolvers<void>[] = [];
    const known: string[] = [];
    await using world = await openLiveWorld({
      own: (_event, _args, context) => {
        const attempt = Promise.withResolvers<void>();
        tried.push(attempt);
        begin(() => {
          attempt.resolve();
          known.push(sessionOf(context));
        });
        return "sent";
      },
    });
    const { member: ann } = await world.subscribe(OWN, ANN);
    const { member: bob } = await world.subscribe(OWN, BOB);

    await world.send("one");
    await Promise.all(tried.map(({ promise }) => promise));
    await world.send("two");
    await Promise.all([ann.has(2), bob.has(2), ...tried.map(({ promise }) => promise)]);

    assertEquals(known, ["ann's", "bob's"]);
    assertEquals([ann.results, bob.results].flat().map(({ errors }) => errors), Array(4).fill(undefined));
  });
}

Deno.test("a promise nobody waits for that looks who is asking at once does not end the process", async () => {
  const known: string[] = [];
  await using world = await openLiveWorld({
    own: (_event, _args, context) => {
      void (async () => {
        await Promise.resolve();
        known.push(sessionOf(context));
      })();
      return new Promise<string>((resolve) => setImmediate(() => resolve("sent")));
    },
  });
  const { member: ann } = await world.subscribe(OWN, ANN);
  const { member: bob } = await world.subscribe(OWN, BOB);

  await world.send("one");
  await Promise.all([ann.has(1), bob.has(1)]);

  assertEquals(known, ["ann's", "bob's"]);
});

Deno.test("what one selection's resolvers keep in an event is not there for another selection", async () => {
  await using world = await openLiveWorld(lookingSchema({
    Event: {
      own: (event, _args, context) => event.publication.event.content = `changed for ${sessionOf(context)}`,
    },
  }));
  const { member: ann } = await world.subscribe(OWN, ANN);
  const { member: bob } = await world.subscribe(`subscription { messages(room: "lobby") { content } }`, BOB);

  await world.send("one");
  await ann.has(1);
  await world.send("two");
  await Promise.all([ann.has(2), bob.has(2)]);

  assertEquals(dataOf(bob), [{ content: "one" }, { content: "two" }]);
});

Deno.test("where one subscriber begins cannot be seen by those who share its selection", async () => {
  const schema = createWrittenSchema("type Event { variables: String }", {
    Event: { variables: (_event, _args, _context, { variableValues }) => JSON.stringify(variableValues) },
    Subscription: { messages: (delivery, args) => ({ ...delivery, args }) },
  });
  await using world = await openLiveWorld(schema);
  const query = `subscription ($last: Int, $after: String) {
    messages(room: "lobby", last: $last, after: $after) { variables }
  }`;
  const { member: ann } = await world.subscribe(query, ANN, { last: 7, unknown: "ann's" });
  const { member: bob } = await world.subscribe(query, BOB, { last: 5 });

  await world.send("one");
  await Promise.all([ann.has(1), bob.has(1)]);

  assertEquals(world.live.size, 1);
  assertEquals(dataOf(bob), [{ variables: `{"sources":{},"coerced":{}}` }]);
});

Deno.test("variables that scalars make into what JSON cannot tell apart are different selections", async () => {
  const schema = createWrittenSchema("scalar Opaque type Event { tags(of: [Opaque!]): String }", {
    Event: { tags: (_event, { of }) => (of as Map<string, string>[]).map((tag) => tag.get("name")).join() },
  });
  const opaque = schema.getType("Opaque") as GraphQLScalarType;
  opaque.coerceInputValue = (name) => new Map([["name", name]]);
  await using world = await openLiveWorld(schema);
  const query = `subscription ($of: [Opaque!]) { messages(room: "lobby") { tags(of: $of) } }`;
  const { member: ann } = await world.subscribe(query, ANN, { of: ["ann's"] });
  const { member: bob } = await world.subscribe(query, BOB, { of: ["bob's"] });

  await world.send("one");
  await Promise.all([ann.has(1), bob.has(1)]);

  assertEquals([ann, bob].map(dataOf), [[{ tags: "ann's" }], [{ tags: "bob's" }]]);
});

Deno.test("a field that follows for each viewer what is named for it never gives one's events to another", async () => {
  const schema = createWrittenSchema("type Event { content: String }", { Event: { content: CONTENT } });
  schema.getSubscriptionType()!.getFields()["messages"]!.subscribe = async (_root, { room }, { rooms, viewer }) => {
    const request = { room, event: viewer.principal.userId, after: null, last: null, join: false };
    return new LiveSource(await rooms.openMessages(viewer, request));
  };
  await using world = await openLiveWorld(schema);
  const query = `subscription { messages(room: "lobby") { content } }`;
  const { member: ann } = await world.subscribe(query, ANN);
  const { member: bob } = await world.subscribe(query, BOB);

  for (const event of ["ann", "bob"]) await world.broadcast({ event, content: `for ${event}` });
  await Promise.all([ann.has(1), bob.has(1)]);

  assertEquals([ann, bob].map(dataOf), [[{ content: "for ann" }], [{ content: "for bob" }]]);
});

Deno.test("what is made for one who catches up, and kept, has nothing of its asynchronous context", async () => {
  const store = new AsyncLocalStorage<string>();
  await using world = await openLiveWorld({ seen: () => store.getStore() ?? "nothing" });
  const query = `subscription ($last: Int) { messages(room: "lobby", last: $last) { seen } }`;
  await world.send("one");

  for (const caller of [ANN, BOB]) {
    const { member } = await store.run(`${caller.sessionId} secret`, () => world.subscribe(query, caller, { last: 1 }));
    await member.has(1);
    assertEquals(dataOf(member), [{ seen: "nothing" }]);
  }
});

Deno.test("what was missed is never another viewer's, however the resolver hides that it looks", async () => {
  await using world = await openLiveWorld(lookingSchema({
    Event: {
      own: async (_event, _args, context) => {
        await Promise.resolve();
        try {
          return sessionOf(context);
        } catch {
          return "nobody";
        }
      },
    },
  }));
  const query = `subscription ($last: Int) { messages(room: "lobby", last: $last) { own content } }`;
  for (const content of ["one", "two"]) await world.send(content);

  const subscribed = [ANN, BOB, callerOf("ann", "another of ann's")].map((caller) => ({
    caller,
    member: world.subscribe(query, caller, { last: 2 }),
  }));

  for (const { caller: { sessionId }, member } of subscribed) {
    const { member: { results }, member: reader } = await member;
    await reader.has(2);
    assertEquals(results.map(({ data }) => data.messages), [
      { own: sessionId, content: "one" },
      { own: sessionId, content: "two" },
    ]);
  }
});
