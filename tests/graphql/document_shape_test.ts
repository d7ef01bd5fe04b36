import { assertEquals } from "@std/assert";
import { getIntrospectionQuery, parse } from "graphql";
import { refuseShape } from "../../src/graphql/document_shape.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { DEFAULTS } from "../../src/options.ts";

const SCHEMA = createSchema();

/** The code and limit a document is refused with; undefined when it is not. */
function refusal(text: string, limits = {}): unknown {
  return refuseShape(SCHEMA, parse(text), { ...DEFAULTS.limits, ...limits })[0]?.extensions;
}

function tooComplex(limit: number): unknown {
  return { code: "QUERY_TOO_COMPLEX", limit };
}

function times(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => write(index)).join(" ");
}

function nested(levels: number): string {
  return "{ a ".repeat(levels) + "}".repeat(levels);
}

/** What is just allowed, what is one more, and the limit that is named. */
const LIMITS: Readonly<Record<string, readonly [allowed: string, refused: string, limit: number]>> = {
  "levels": [nested(8), nested(9), 8],
  "levels over fragments": [
    `{ a { ...F } } fragment F on Query ${nested(7)}`,
    `{ a { ...F } } fragment F on Query ${nested(8)}`,
    8,
  ],
  "levels beside an introspection": [
    `{ __schema ${nested(14)} ...F } fragment F on Query ${nested(8)}`,
    `{ __schema ${nested(14)} ...F } fragment F on Query ${nested(9)}`,
    8,
  ],
  "levels of an introspection": [`{ __schema ${nested(14)} }`, `{ __schema ${nested(15)} }`, 15],
  "levels of an introspection's fragment": [
    `{ __schema { ...F } } fragment F on __Schema ${nested(14)}`,
    `{ __schema { ...F } } fragment F on __Schema ${nested(15)}`,
    15,
  ],
  "aliases": [`{ ${times(15, (i) => `a${i}: b`)} }`, `{ ${times(16, (i) => `a${i}: b`)} }`, 15],
  "aliases of a fragment for each place": [
    `{ ...F c { ...F } d { ...F } } fragment F on Query { ${times(5, (i) => `a${i}: b`)} }`,
    `{ ...F c { ...F } d { ...F } x: e } fragment F on Query { ${times(5, (i) => `a${i}: b`)} }`,
    15,
  ],
  "fields": [`{ ${times(500, (i) => `f${i}`)} }`, `{ ${times(501, (i) => `f${i}`)} }`, 500],
  "directives": [`{ a ${"@x ".repeat(50)} }`, `{ a ${"@x ".repeat(51)} }`, 50],
  "directives wherever they stand": [
    `query ($v: Int @x) @x { ... @x { a @x } ...F @x } fragment F on Query @x { ${times(44, (i) => `f${i} @x`)} }`,
    `query ($v: Int @x) @x { ... @x { a @x } ...F @x } fragment F on Query @x { ${times(45, (i) => `f${i} @x`)} }`,
    50,
  ],
  "repeated fields": [`{ ${"a ".repeat(51)} }`, `{ ${"a ".repeat(52)} }`, 50],
  "repeated fields of fragments": [
    `{ ${"...F ".repeat(25)} b } fragment F on Query { a b }`,
    `{ ${"...F ".repeat(26)} b b } fragment F on Query { a b }`,
    50,
  ],
  "fragments": [
    times(50, (i) => `fragment F${i} on Query { a }`),
    times(51, (i) => `fragment F${i} on Query { a }`),
    50,
  ],
};

for (const [what, [allowed, refused, limit]] of Object.entries(LIMITS)) {
  Deno.test(`a document may have ${limit} ${what}, and no more`, () => {
    assertEquals(refusal(allowed), undefined);
    assertEquals(refusal(refused), tooComplex(limit));
  });
}

Deno.test("each limit of a document that is an option counts as it is set", () => {
  assertEquals(refusal(nested(3), { documentDepth: 2 }), tooComplex(2));
  assertEquals(refusal("{ a: b c: d }", { documentAliases: 1 }), tooComplex(1));
  assertEquals(refusal("{ a b c }", { documentFields: 2 }), tooComplex(2));
  assertEquals(refusal(nested(20), { documentDepth: 20 }), undefined);
});

Deno.test("the message of a refused document says what was counted and what is allowed", () => {
  const [error] = refuseShape(SCHEMA, parse(`{ ${times(16, (i) => `a${i}: b`)} }`), DEFAULTS.limits);

  assertEquals(error?.message, "Cannot run this document: more than 15 aliases, its fragments expanded");
});

Deno.test("1,245 bytes of fragments that double 25 times are counted, not expanded", () => {
  const links = times(25, (i) => `fragment F${i} on Query { __typename ...F${i + 1} a ...F${i + 1} b }`);
  const text = `{ ...F0 } ${links} fragment F25 on Query { a }`;

  assertEquals(refuseShape(SCHEMA, parse(text), { ...DEFAULTS.limits })[0]?.extensions["code"], "QUERY_TOO_COMPLEX");
});

Deno.test("a fragment that spreads itself is refused as such, however much it would double", () => {
  for (const first of [0, 7, 24]) {
    const links = times(25, (i) => `fragment F${i} on Query { ...F${(i + 1) % 25} ...F${(i + 1) % 25} }`);

    assertEquals(refusal(`{ ...F${first} } ${links}`), { code: "GRAPHQL_VALIDATION_FAILED" });
  }
});

Deno.test("a fragment that does not exist counts as nothing", () => {
  assertEquals(refusal("{ ...Nobody a }"), undefined);
});

Deno.test("a fragment is measured also when another one has its name, or nobody spreads it", () => {
  const large = `fragment F on Query { ${"a ".repeat(60)} }`;

  assertEquals(refusal(`{ ...F } ${large} fragment F on Query { a }`), tooComplex(50));
  assertEquals(refusal(`{ ...F } fragment F on Query { a } ${large}`), tooComplex(50));
  assertEquals(refusal(`{ a } ${large}`), tooComplex(50));
});

Deno.test("fragments nested beyond every stack are refused, not followed", () => {
  const chain = times(49, (i) => `fragment F${i} on Query { ... { ... { ... { ... { ...F${i + 1} } } } } }`);

  assertEquals(refusal(`{ ...F0 } ${chain} fragment F49 on Query { a }`), tooComplex(8));
});

Deno.test("one operation of a document does not count for another", () => {
  const query = (name: string) => `query ${name} { ${times(10, (i) => `a${i}: b`)} }`;

  assertEquals(refusal(`${query("A")} ${query("B")}`), undefined);
});

Deno.test("the introspection query with everything in it is allowed", () => {
  const all = {
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  };

  assertEquals(refusal(getIntrospectionQuery(all)), undefined);
});

Deno.test("an introspection has no aliases, and is one; a type's may be one of several", () => {
  assertEquals(refusal("{ a: __schema { types { name } } b: __schema { types { name } } }"), tooComplex(0));
  assertEquals(refusal("{ __schema { a: types { name } } }"), tooComplex(0));
  assertEquals(refusal(`{ a: __type(name: "A") { name } b: __type(name: "B") { name } }`), undefined);
});
