import { assertEquals, assertGreater } from "@std/assert";
import { getIntrospectionQuery, GraphQLError, parse } from "graphql";
import * as console from "../../src/console/documents.ts";
import { Documents } from "../../src/graphql/documents.ts";
import { Operations } from "../../src/graphql/operations.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { DEFAULTS } from "../../src/options.ts";
import { graphiqlTabs } from "../../src/transports/graphiql_tabs.ts";
import * as documents from "../support/documents.ts";

const ROOT = new URL("../../", import.meta.url);
const SCHEMA = createSchema();

/** Where users read what to send, and how many operations are there at least. */
const PLACES: Readonly<Record<string, readonly [texts: readonly string[], atLeast: number]>> = {
  "the console": [Object.values(console), 7],
  "GraphiQL's tabs": [[
    ...graphiqlTabs({ needsToken: false, introspection: true }),
    ...graphiqlTabs({ needsToken: true, introspection: false }),
  ], 4],
  "GraphiQL itself": [[getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true })], 1],
  "README, docs and examples": [["README.md", ...files("docs"), ...files("examples")].flatMap(operationsIn), 5],
  "the tests' own frontend": [Object.values(documents), 7],
};

for (const [place, [texts, atLeast]] of Object.entries(PLACES)) {
  Deno.test(`every operation of ${place} is within the default limits`, () => {
    const operations = openOperations();

    for (const query of texts) {
      const refused = operations.prepare({ query, operationName: null, variables: {} }).errors ?? [];
      assertEquals(refused.map(String), [], query);
    }

    assertGreater(texts.length, atLeast - 1);
  });
}

function openOperations() {
  const { limits } = DEFAULTS;
  const checked = new Documents(SCHEMA, { limits, introspection: true });
  const unused = {} as ConstructorParameters<typeof Operations>[0]["live"];
  const mask = (error: unknown) => error as GraphQLError;
  return new Operations({ schema: SCHEMA, documents: checked, live: unused, mask, maxNodes: limits.answerNodes });
}

function files(folder: string): string[] {
  return Array.from(Deno.readDirSync(new URL(`${folder}/`, ROOT))).flatMap(({ name, isDirectory }) => {
    if (isDirectory) return name === "images" ? [] : files(`${folder}/${name}`);
    return [`${folder}/${name}`];
  });
}

/** Whatever stands between quotes, or alone, and is an operation. */
function operationsIn(path: string): string[] {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const quoted = Array.from(text.matchAll(/`([^`]*)`|"((?:[^"\\\n]|\\.)*)"/g), ([, ticks, quotes]) => ticks ?? quotes!);
  const fenced = Array.from(text.matchAll(/```graphql\n([^]*?)```/g), ([, code]) => code!);
  return [...quoted, ...fenced].map((one) => one.replaceAll('\\"', '"')).filter(isOperation);
}

function isOperation(text: string): boolean {
  if (!/^\s*(?:query|mutation|subscription)\b[^]*\{|^\s*\{ \w+ ?[({]/.test(text)) return false;
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
