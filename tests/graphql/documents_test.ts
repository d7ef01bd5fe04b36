import { buildSchema } from "graphql";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Documents } from "../../src/graphql/documents.ts";
import { DEFAULTS } from "../../src/options.ts";
import { collectedHeapBytes } from "../support/heap.ts";

function openDocuments(documentTokens = 1_000): Documents {
  const limits = { ...DEFAULTS.limits, documentTokens };
  return new Documents(buildSchema("type Query { a: Query  b: String }"), { limits, introspection: true });
}

Deno.test("a valid document is parsed and validated once", () => {
  const documents = openDocuments();

  const first = documents.check("{ b }");
  const second = documents.check("{ b }");

  assertStrictEquals(second.document, first.document);
});

Deno.test("a document that cannot be parsed or is not valid says why, and is not remembered", () => {
  const documents = openDocuments();

  const broken = documents.check("{ b");
  const invalid = documents.check("{ c }");

  assertEquals(broken.errors?.map(({ extensions }) => extensions.code), ["GRAPHQL_PARSE_FAILED"]);
  assertEquals(invalid.errors?.map(({ extensions }) => extensions.code), ["GRAPHQL_VALIDATION_FAILED"]);
  assertEquals(documents.cached, 0);
});

Deno.test("a document is refused at its first token too many, before it is parsed to its end", () => {
  const documents = openDocuments(10);

  const { errors } = documents.check(`{ ${"b ".repeat(100_000)}`);

  assertEquals(errors?.[0]?.extensions.code, "GRAPHQL_PARSE_FAILED");
});

Deno.test("a document nested so deeply that the parser's stack overflows is refused like any other", () => {
  const documents = openDocuments(1_000_000);

  const { errors } = documents.check("{ a ".repeat(100_000));

  assertEquals(errors?.[0]?.extensions.code, "GRAPHQL_PARSE_FAILED");
});

Deno.test("what is remembered is bounded by text and tokens, and the least recently used goes first", () => {
  const documents = openDocuments(10_000);
  const used = documents.check("{ b }").document;

  for (let index = 0; index < 100; index++) {
    documents.check(`{ b } # ${index} ${"x".repeat(15_000)}`);
    documents.check("{ b }");
  }

  assertEquals(documents.cached < 40, true);
  assertStrictEquals(documents.check("{ b }").document, used);
});

Deno.test("a single large document is not remembered", () => {
  const documents = openDocuments(10_000);

  documents.check(`{ b } # ${"x".repeat(20_000)}`);

  assertEquals(documents.cached, 0);
});

Deno.test("at most ten errors are said of one document", () => {
  const documents = openDocuments();

  const { errors } = documents.check(`{ ${Array.from({ length: 50 }, (_, index) => `c${index}`).join(" ")} }`);

  assertEquals(errors!.length <= 11, true);
});

Deno.test("a document that is too complex is refused before it is validated, and not remembered", () => {
  const documents = openDocuments();

  const { errors } = documents.check(`{ ${"nobody ".repeat(60)} }`);

  assertEquals(errors?.map(({ extensions }) => extensions["code"]), ["QUERY_TOO_COMPLEX"]);
  assertEquals(documents.cached, 0);
});

Deno.test("40 distinct documents of 290 KB leave nothing in memory", () => {
  const documents = openDocuments(100_000);
  const check = (index: number) => documents.check(`{ b } ${`# ${"x".repeat(197)}\n`.repeat(1_450)} # ${index}`);
  check(-1);
  const before = collectedHeapBytes();

  for (let index = 0; index < 40; index++) assertEquals(check(index).errors, undefined);

  const grown = collectedHeapBytes() - before;
  assertEquals(grown < 1_000_000, true, `${grown} bytes`);
});

Deno.test("a cache that is full of documents with no text but tokens has some 30 MB", () => {
  const fields = Array.from({ length: 450 }, (_, index) => `f${index.toString(36)}`);
  const schema = buildSchema(`type Query { ${fields.map((name) => `${name}: ID`).join(" ")} }`);
  const documents = new Documents(schema, { limits: DEFAULTS.limits, introspection: true });
  const write = (index: number) => `query Q${index}{${fields.join(" ")}}`;
  for (let index = 0; index < 20; index++) documents.check(write(index));
  const before = collectedHeapBytes();

  for (let index = 20; index < 200; index++) documents.check(write(index));

  const grown = collectedHeapBytes() - before;
  assertEquals(documents.cached > 100 && documents.cached < 200, true, `${documents.cached} documents`);
  assertEquals(grown < 35_000_000, true, `${grown} bytes`);
});

Deno.test("a document may have 2,000 lines, however they end", () => {
  const documents = openDocuments();
  const code = (text: string) => documents.check(text).errors?.[0]?.extensions;

  for (const end of ["\n", "\r", "\r\n"]) {
    assertEquals(code(`${end.repeat(2_000)}{ b }`), undefined);
    assertEquals(code(`${end.repeat(2_001)}{ b }`), { code: "QUERY_TOO_COMPLEX", limit: 2_000 });
  }
});
