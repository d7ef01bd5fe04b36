import { assertEquals } from "@std/assert";
import {
  execute,
  getOperationAST,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  Kind,
  parse,
  validate,
} from "graphql";
import { PLAIN } from "../../src/graphql/plain.ts";
import { SelectionPlan } from "../../src/graphql/selection_plan.ts";
import { createCursorScalar, createDateTimeScalar, createJsonScalar } from "../../src/graphql/scalars.ts";
import { seeded } from "../support/seeded.ts";

interface Person {
  readonly name: string;
  readonly nick: string | null;
  readonly friends: readonly Person[];
}

const ANN: Person = {
  name: 'Ann "é" \u2028 😀 \ud800',
  nick: null,
  friends: [{ name: "Bob", nick: "", friends: [] }, { name: "Eve\n", nick: "e", friends: [] }],
};

const person: GraphQLObjectType<Person> = new GraphQLObjectType<Person>({
  name: "Person",
  extensions: PLAIN,
  fields: () => ({
    id: { type: new GraphQLNonNull(GraphQLID), resolve: ({ name }) => name.length },
    name: { type: new GraphQLNonNull(GraphQLString), resolve: ({ name }) => name },
    nick: { type: GraphQLString, resolve: ({ nick }) => nick },
    score: { type: GraphQLFloat, resolve: () => 1.5e21 },
    born: { type: createDateTimeScalar(), resolve: () => new Date(0) },
    data: { type: createJsonScalar(), resolve: ({ nick }) => ({ nick, __proto__: null, deep: [1, null, "<"] }) },
    cursor: { type: createCursorScalar(), resolve: () => "1abc~x" },
    friends: { type: new GraphQLNonNull(new GraphQLList(person)), resolve: ({ friends }) => [...friends, null] },
    first: { type: person, resolve: ({ friends }) => friends[0] },
  }),
});

const SCALARS = ["id", "name", "nick", "score", "born", "data", "cursor", "__typename"];
const OBJECTS = ["friends", "first"];

Deno.test("a plan writes what graphql-js does, byte for byte: 500 selections, as random as seed 5 makes them", async () => {
  const random = seeded(5);
  for (let run = 0; run < 500; run++) {
    const document = writeDocument(random);
    assertEquals(plan(document)?.run(ANN), await executed(document), document);
  }
});

/** A root of plain and other fields, each with one way to be awkward. */
const AWKWARD = {
  promise: () => Promise.resolve("later"),
  rejection: () => Promise.reject(new Error("no")),
  thenable: () => ({ then: (resolve: (value: string) => void) => resolve("later") }),
  throws: () => {
    throw new GraphQLError("no");
  },
  error: () => new Error("no"),
  missing: () => null,
  wrong: () => Symbol("no"),
  args: (_source: unknown, args: Record<string, unknown>) => String(args["x"]),
  context: (_source: unknown, _args: unknown, context: { who: string }) => context.who,
  hides: (_source: unknown, _args: unknown, context: { who?: string }) => {
    try {
      return context.who;
    } catch {
      return "nobody";
    }
  },
  info: (_source: unknown, _args: unknown, _context: unknown, { fieldName }: { fieldName: string }) => fieldName,
};

for (const [what, resolve] of Object.entries(AWKWARD)) {
  Deno.test(`a plan leaves it to graphql-js when a resolver is not as plain as it was said to be: ${what}`, () => {
    const type = new GraphQLObjectType({
      name: "Query",
      extensions: PLAIN,
      fields: { value: { type: new GraphQLNonNull(GraphQLString), resolve: resolve as () => unknown } },
    });

    assertEquals(plan("{ value }", new GraphQLSchema({ query: type }))!.run({}), undefined);
  });
}

Deno.test("a list with promises is left to graphql-js, and none of them is left unhandled", async () => {
  const values = () => [Promise.reject(new Error("one")), Promise.reject(new Error("two"))];
  const type = new GraphQLObjectType({
    name: "Query",
    extensions: PLAIN,
    fields: { values: { type: new GraphQLList(GraphQLString), resolve: values } },
  });

  assertEquals(plan("{ values }", new GraphQLSchema({ query: type }))!.run({}), undefined);
  // An unhandled rejection would fail this test's file.
  await new Promise((resolve) => setImmediate(resolve));
});

Deno.test("an error is no reason to give a plan up, a promise is", () => {
  const answers: unknown[] = [new Error("once"), "then", Promise.resolve("later"), "too late"];
  const type = new GraphQLObjectType({
    name: "Query",
    extensions: PLAIN,
    fields: { value: { type: GraphQLString, resolve: () => answers.shift() } },
  });
  const compiled = plan("{ value }", new GraphQLSchema({ query: type }))!;

  assertEquals([1, 2, 3, 4].map(() => compiled.run({})), [undefined, `{"value":"then"}`, undefined, undefined]);
});

const NOT_COMPILED = {
  "a directive": "query ($no: Boolean!) { person { name @skip(if: $no) } }",
  "a directive on a fragment": "query ($no: Boolean!) { person { ... @include(if: $no) { name } } }",
  "a type that is not plain": "{ stranger { name } }",
  "a field that takes arguments": "{ person { greeting(loud: true) } }",
  "a field without a resolver": "{ person { bare } }",
};

for (const [what, document] of Object.entries(NOT_COMPILED)) {
  Deno.test(`what is not known from the document alone is not compiled: ${what}`, () => {
    const fields = {
      name: { type: GraphQLString, resolve: () => "Ann" },
      bare: { type: GraphQLString },
      greeting: { type: GraphQLString, args: { loud: { type: GraphQLInt } }, resolve: () => "hi" },
    };
    const query = new GraphQLObjectType({
      name: "Query",
      extensions: PLAIN,
      fields: {
        person: {
          type: new GraphQLObjectType({ name: "Person", extensions: PLAIN, fields }),
          resolve: () => ({}),
        },
        stranger: { type: new GraphQLObjectType({ name: "Stranger", fields }), resolve: () => ({}) },
      },
    });

    assertEquals(plan(document, new GraphQLSchema({ query })), undefined);
  });
}

const SCHEMA = new GraphQLSchema({
  query: new GraphQLObjectType<Person>({
    name: "Query",
    fields: { me: { type: new GraphQLNonNull(person), extensions: PLAIN, resolve: (source) => source } },
  }),
});

function plan(text: string, schema = SCHEMA): SelectionPlan | undefined {
  const document = parse(text);
  const { selectionSet } = getOperationAST(document)!;
  const fragments = Object.fromEntries(
    document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  return SelectionPlan.ofRoot(schema.getQueryType()!, selectionSet, { fragments });
}

async function executed(text: string): Promise<string> {
  const document = parse(text);
  assertEquals(validate(SCHEMA, document), []);
  return JSON.stringify((await execute({ schema: SCHEMA, document, rootValue: ANN })).data);
}

function writeDocument(random: () => number): string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const writeSelection = (depth: number): string => {
    const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const kind = random();
      // An alias of its own for each field: two fields of one name would have to agree.
      if (kind < 0.5 || depth === 0) return `${random() < 0.3 ? "" : "a_NAME: "}NAME`.replaceAll("NAME", pick(SCALARS));
      if (kind < 0.7) return `${pick(OBJECTS)} { ${writeSelection(depth - 1)} }`;
      if (kind < 0.8) return `... { ${writeSelection(depth - 1)} }`;
      if (kind < 0.9) return `... on Person { ${writeSelection(depth - 1)} }`;
      return "...Some";
    });
    return parts.join(" ");
  };
  const root = random() < 0.5 ? "me" : "self: me";
  const text = `{ ${root} { ${writeSelection(3)} } }`;
  return text.includes("...Some") ? `${text} fragment Some on Person { name aka: nick friends { id } }` : text;
}
