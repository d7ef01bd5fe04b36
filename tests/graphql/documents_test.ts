import { buildSchema } from "graphql";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Documents } from "../../src/graphql/documents.ts";

function openDocuments(maxTokens = 1_000): Documents {
  return new Documents(buildSchema("type Query { a: Query  b: String }"), { maxTokens });
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

Deno.test("what is remembered is bounded by characters, and the least recently used goes first", () => {
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
