import {
  buildSchema,
  findSchemaChanges,
  type GraphQLSchema,
  isEnumType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from "graphql";
import { assertArrayIncludes, assertEquals, assertNotStrictEquals, assertStringIncludes } from "@std/assert";
import { printSortedSchema, SCHEMA_FILE } from "../../src/graphql/print_schema.ts";
import { createSchema } from "../../src/graphql/schema.ts";

const CONTRACT = Deno.readTextFileSync(new URL("./contract.graphql", import.meta.url));

/** What the schema may have beyond the contract. Everything else breaks somebody. */
const ALLOWED: ReadonlySet<string> = new Set([
  "TYPE_ADDED",
  "FIELD_ADDED",
  "OPTIONAL_ARG_ADDED",
  "DESCRIPTION_CHANGED",
  "DIRECTIVE_ADDED",
]);

Deno.test("schema.graphql is what the code builds", () => {
  assertEquals(Deno.readTextFileSync(SCHEMA_FILE), printSortedSchema(createSchema()), "Run deno task schema");
});

Deno.test("the schema is equal to the contract or larger", () => {
  assertEquals(brokenBy(createSchema()), []);
});

interface Mutation {
  /** What the schema then has against the changed contract. */
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly seen: string;
}

const NODE = "interface Node { id: ID! }\ntype Viewer implements Node {";

const MUTATIONS: readonly Mutation[] = [
  { what: "a field removed", from: "content: String!", to: "text: String!", seen: "FIELD_REMOVED" },
  { what: "null become non-null", from: "senderId: ID!", to: "senderId: ID", seen: "FIELD_CHANGED_KIND_SAFE" },
  { what: "non-null become null", from: "event: String\n", to: "event: String!\n", seen: "FIELD_CHANGED_KIND" },
  { what: "another type", from: "version: String!", to: "version: Int!", seen: "FIELD_CHANGED_KIND" },
  { what: "another default", from: "Int! = 100", to: "Int! = 50", seen: "ARG_DEFAULT_VALUE_CHANGE" },
  { what: "a default removed", from: "prefix: String", to: 'prefix: String = ""', seen: "ARG_DEFAULT_VALUE_CHANGE" },
  { what: "a default added", from: "join: Boolean! = false", to: "join: Boolean!", seen: "ARG_DEFAULT_VALUE_ADDED" },
  { what: "an argument removed", from: "prefix: String", to: "suffix: String", seen: "ARG_REMOVED" },
  { what: "an enum value added", from: "TIMEOUT REMOVED", to: "TIMEOUT", seen: "VALUE_ADDED_TO_ENUM" },
  {
    what: "an enum value removed",
    from: "TIMEOUT REMOVED",
    to: "TIMEOUT REMOVED BANNED",
    seen: "VALUE_REMOVED_FROM_ENUM",
  },
  { what: "an interface dropped", from: "type Viewer {", to: NODE, seen: "IMPLEMENTED_INTERFACE_REMOVED" },
  { what: "a type removed", from: "type Query {", to: "type Ban { id: ID! }\ntype Query {", seen: "TYPE_REMOVED" },
];

for (const { what, from, to, seen } of MUTATIONS) {
  Deno.test(`the comparison with the contract sees ${what}`, () => {
    const changes = brokenBy(createSchema(), mutate(from, to)).map((change) => change.split(":")[0]);

    assertArrayIncludes(changes, [seen]);
  });
}

const LARGER: readonly Pick<Mutation, "what" | "from" | "to">[] = [
  { what: "an optional argument", from: ", prefix: String", to: "" },
  { what: "a field", from: "version: String!", to: "" },
  { what: "other descriptions", from: "The authenticated sender", to: "Who sent it" },
];

for (const { what, from, to } of LARGER) {
  Deno.test(`the comparison with the contract allows ${what} beyond it`, () => {
    assertEquals(brokenBy(createSchema(), mutate(from, to)), []);
  });
}

Deno.test("every type, field, argument and value says what it is", () => {
  assertEquals(withoutDescription(createSchema()), []);
});

Deno.test("each call makes a schema of its own", () => {
  const [first, second] = [createSchema(), createSchema()];

  assertNotStrictEquals(first.getType("Message"), second.getType("Message"));
  assertEquals(printSortedSchema(first), printSortedSchema(second));
});

function mutate(from: string, to: string): string {
  assertStringIncludes(CONTRACT, from);
  return CONTRACT.replace(from, to);
}

function brokenBy(schema: GraphQLSchema, contract = CONTRACT): string[] {
  return findSchemaChanges(buildSchema(contract), schema)
    .filter(({ type }) => !ALLOWED.has(type))
    .map(({ type, description }) => `${type}: ${description}`);
}

function withoutDescription(schema: GraphQLSchema): string[] {
  const named: [string, string | null | undefined][] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__") || isSpecifiedScalarType(type)) continue;
    const isRoot = ["Query", "Mutation", "Subscription"].includes(type.name);
    if (!isRoot) named.push([type.name, type.description]);
    if (isEnumType(type)) {
      for (const value of type.getValues()) named.push([`${type.name}.${value.name}`, value.description]);
    }
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      named.push([`${type.name}.${field.name}`, field.description]);
      for (const arg of field.args) named.push([`${type.name}.${field.name}(${arg.name}:)`, arg.description]);
    }
  }
  return named.filter(([, description]) => !description).map(([name]) => name);
}
