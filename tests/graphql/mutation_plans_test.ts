import { assertEquals } from "@std/assert";
import {
  execute,
  getOperationAST,
  GraphQLBoolean,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  GraphQLString,
  parse,
} from "graphql";
import { PLAIN } from "../../src/graphql/plain.ts";
import { MutationPlans } from "../../src/graphql/mutation_plans.ts";

const SEND = "mutation ($text: String!) { send(text: $text) { text times } }";

Deno.test("a mutation of one field with a plain payload is answered without executing it", async () => {
  const { run, calls } = open(({ text }) => Promise.resolve({ text, times: 2 }));

  const mutated = await run(SEND, { text: "hi" });

  assertEquals(mutated, { json: `{"data":{"send":{"text":"hi","times":2}}}` });
  assertEquals(calls, ["hi for ann at send"]);
});

Deno.test("its resolver gets what graphql-js would have given it", async () => {
  const { run, infos, schema } = open(() => null);
  const text = `mutation Two($text: String = "x") { mine: send(text: $text) { ...P } } fragment P on Sent { text }`;

  await run(text, {});
  const document = parse(text);
  await execute({ schema, document, contextValue: { who: "ann" } });

  const [own, theirs] = infos as [GraphQLResolveInfo, GraphQLResolveInfo];
  const { getAbortSignal: _signal, getAsyncHelpers: _helpers, ...told } = theirs;
  for (const [key, value] of Object.entries(told)) {
    // Of graphql-js each document has its own nodes.
    assertEquals(comparable(own[key as keyof GraphQLResolveInfo]), comparable(value), key);
  }
});

for (
  const [what, text, variables, args] of [
    ["texts", "mutation ($t: String!) { send(text: $t) { text } }", { t: "hi" }, { text: "hi" }],
    ["a number for an ID", "mutation ($i: ID, $t: String!) { send(text: $t, id: $i) { text } }", { t: "hi", i: 7 }, {
      text: "hi",
      id: "7",
    }],
    ["a default of the document", `mutation ($t: String = "x") { send(text: $t) { text } }`, {}, { text: "x" }],
    ["a null", "mutation ($i: ID, $t: String!) { send(text: $t, id: $i) { text } }", { t: "hi", i: null }, {
      text: "hi",
      id: null,
    }],
    ["a missing one", "mutation ($i: ID, $t: String!) { send(text: $t, id: $i) { text } }", { t: "hi" }, {
      text: "hi",
    }],
    ["a literal", `mutation ($i: ID) { send(text: "lit", id: $i) { text } }`, { i: "a" }, { text: "lit", id: "a" }],
    ["a number", "mutation ($n: Int, $t: String!) { send(text: $t, times: $n) { text } }", { t: "hi", n: 3 }, {
      text: "hi",
      times: 3,
    }],
    ["more than was asked for", "mutation ($t: String!) { send(text: $t) { text } }", { t: "hi", x: 1 }, {
      text: "hi",
    }],
  ] as const
) {
  Deno.test(`arguments are coerced as graphql-js does, defaults and all: ${what}`, async () => {
    const { run, given } = open(() => null);

    await run(text, variables);

    assertEquals(given, [{ loud: false, ...args }]);
  });
}

const OUTCOMES = {
  "a rejection": () => Promise.reject(new TypeError("full")),
  "a throw": () => {
    throw new TypeError("full");
  },
  "an error as value": () => new TypeError("full"),
  "nothing": () => null,
  "a payload that is wrong": () => ({ text: null, times: 1 }),
  "a payload with a promise in it": () => ({ text: Promise.resolve("later"), times: 1 }),
};

for (const [what, resolve] of Object.entries(OUTCOMES)) {
  Deno.test(`whatever comes of it the resolver runs once, and the answer is graphql-js's own: ${what}`, async () => {
    const { run, calls, schema } = open(resolve);

    const mutated = (await run(SEND, { text: "hi" }))!;
    const answer = "json" in mutated ? JSON.parse(mutated.json) : await execute(mutated.args);
    const ran = calls.length;
    const theirs = await execute({
      schema,
      document: parse(SEND),
      variableValues: { text: "hi" },
      contextValue: CONTEXT,
    });

    assertEquals(JSON.parse(JSON.stringify(answer)), JSON.parse(JSON.stringify(theirs)));
    assertEquals(ran, 1);
  });
}

for (
  const [what, text, variables] of [
    ["a variable that is missing", SEND, {}],
    ["a variable of another type", SEND, { text: 7 }],
    ["an argument that cannot be used", `mutation { send(text: "hi", times: 99999999999) { text } }`, {}],
    ["two fields", `mutation { send(text: "a") { text } more: send(text: "b") { text } }`, {}],
    ["a query", `{ hello }`, {}],
  ] as const
) {
  Deno.test(`what cannot be run like this is left to graphql-js before anything has happened: ${what}`, () => {
    const { run, calls } = open(() => null);

    assertEquals(run(text, variables), undefined);
    assertEquals(calls, []);
  });
}

/** Without what differs between two readings of one document. */
function comparable(value: unknown): unknown {
  return value instanceof GraphQLSchema ? value : JSON.parse(JSON.stringify(value ?? null));
}

const CONTEXT = { who: "ann" };

function open(resolve: (args: { text: string }) => unknown) {
  const calls: string[] = [];
  const infos: GraphQLResolveInfo[] = [];
  const given: Record<string, unknown>[] = [];
  const sent = new GraphQLObjectType<{ text: unknown; times: number }>({
    name: "Sent",
    extensions: PLAIN,
    fields: {
      text: { type: new GraphQLNonNull(GraphQLString), resolve: ({ text }) => text },
      times: { type: GraphQLInt, resolve: ({ times }) => times },
    },
  });
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: "Query", fields: { hello: { type: GraphQLString } } }),
    mutation: new GraphQLObjectType<unknown, typeof CONTEXT>({
      name: "Mutation",
      fields: {
        send: {
          type: sent,
          args: {
            text: { type: new GraphQLNonNull(GraphQLString) },
            times: { type: GraphQLInt },
            id: { type: GraphQLID },
            loud: { type: new GraphQLNonNull(GraphQLBoolean), default: { value: false } },
          },
          resolve(_root, args, { who }, info) {
            calls.push(`${args["text"]} for ${who} at ${info.path.key}`);
            infos.push(info);
            given.push({ ...args });
            return resolve(args as { text: string });
          },
        },
      },
    }),
  });
  const plans = new MutationPlans(schema);
  return {
    calls,
    infos,
    given,
    schema,
    run(text: string, variableValues: Record<string, unknown>) {
      const document = parse(text);
      return plans.run(getOperationAST(document)!, { schema, document, variableValues, contextValue: CONTEXT });
    },
  };
}
