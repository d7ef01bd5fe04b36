import { assertEquals } from "@std/assert";
import { buildSchema, Kind, parse } from "graphql";
import { answerSize, type RawVariables } from "../../src/graphql/answer_size.ts";
import { createSchema } from "../../src/graphql/schema.ts";

const SCHEMA = createSchema();

function nodes(text: string, variables?: RawVariables, schema = SCHEMA): number | undefined {
  const document = parse(text);
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION)!;
  return answerSize(schema, document, operation)?.(variables);
}

const COUNTED: readonly (readonly [nodes: number | undefined, query: string, variables?: RawVariables])[] = [
  [undefined, "{ viewer { userId scopes } server { node } }"],
  [undefined, `{ room(room: "a") { messages(last: 300) { pageInfo { endCursor } } } }`],
  [undefined, "{ __schema { types { fields { name } } } }"],
  [undefined, `mutation { sendMessage(room: "a", content: "b") { message { id } } }`],
  [undefined, `subscription { messages(room: "a", last: 100) { id } }`],
  [50, `{ room(room: "a") { messages { nodes { id } } } }`],
  [300, `{ room(room: "a") { messages(last: 300) { nodes { id } } } }`],
  [7, `{ room(room: "a") { messages(first: 7) { edges { node { id } } } } }`],
  [600, `{ room(room: "a") { messages(last: 300) { nodes { id } edges { cursor } } } }`],
  [100, `{ room(room: "a") { members { nodes { id } } } }`],
  [100, "{ viewer { rooms { id memberCount } } }"],
  [50, "{ rooms { nodes { id } } }"],
  [2_550, "{ rooms(first: 50) { nodes { messages(last: 50) { nodes { id } } } } }"],
  [
    2 * (1 + 3 + 4),
    "{ rooms(first: 2) { nodes { messages(last: 3) { nodes { id } } members(first: 4) { nodes { id } } } } }",
  ],
  [2 + 2 * 3, "{ rooms(first: 2) { nodes { id } edges { node { members(first: 2) { nodes { id } } } } } }"],
  // A page that nobody can have is refused by its field: it costs no more than the largest.
  [300, `{ room(room: "a") { messages(last: 1000000000) { nodes { id } } } }`],
  [0, `{ room(room: "a") { messages(last: -5) { nodes { id } } } }`],
  // Fields that are merged into one are counted once, wherever they stand.
  [
    300,
    `{ room(room: "a") { messages(last: 300) { nodes { id } nodes { content } ...F ... { nodes { id } } } } }
    fragment F on MessageConnection { nodes { data } }`,
  ],
  [6, `{ room(room: "a") { messages(last: 3) { nodes { id } again: nodes { id } } } }`],
  [
    9,
    `{ ...F } fragment F on Query { room(room: "a") { ...G } } fragment G on Room { messages(last: 9) { nodes { id } } }`,
  ],
  [7, "query ($n: Int) { rooms(first: $n) { nodes { id } } }", { n: 7 }],
  [50, "query ($n: Int! = 50) { rooms(first: $n) { nodes { id } } }"],
  [8, "query ($n: Int! = 8) { rooms(first: $n) { nodes { id } } }", {}],
  [8, "query ($n: Int! = 8) { rooms(first: $n) { nodes { id } } }", null],
  [50, `query ($n: Int = 8) { room(room: "a") { messages(last: $n) { nodes { id } } } }`, { n: null }],
  [50, "query ($n: Int) { rooms(first: $n) { nodes { id } } }", { n: "300" }],
  [1_000, `subscription { roomEvents(room: "a") { type ... on RoomSnapshot { members { id } } } }`],
  [2_000, `subscription { roomEvents(room: "a") { ... on RoomSnapshot { members { id } twice: members { id } } } }`],
];

for (const [expected, query, variables] of COUNTED) {
  Deno.test(`${expected ?? "no"} nodes are counted in ${query} with ${JSON.stringify(variables ?? null)}`, () => {
    assertEquals(nodes(query, variables), expected);
  });
}

Deno.test("a list of a program's own, which nobody says the size of, counts as one", () => {
  const schema = buildSchema("type Query { rows: [Row!]! }  type Row { id: ID  rows: [Row!]! }");

  assertEquals(nodes("{ rows { rows { id } } }", undefined, schema), 2);
});
