import type { ErrorCode } from "../../src/core/errors.ts";

/** A document that asks for too much, and what it gets. */
export interface Bomb {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly code: ErrorCode;
  /** Where it is refused; most before they are run. */
  readonly refusedBy?: "request" | "execution";
}

/** Documents of one shape, each about twice as large as the one before. */
type Shape = readonly Bomb[];

const PARSE = "GRAPHQL_PARSE_FAILED";
const COMPLEX = "QUERY_TOO_COMPLEX";
const INVALID = "GRAPHQL_VALIDATION_FAILED";

/** What is tried on every transport, by what it is. */
export const GRAPHQL_BOMBS: Readonly<Record<string, Shape>> = {
  "fields nested": sizes([9, 16, 32, 64, 128, 256, 332, 1_000, 5_000, 30_000], 332, (n) => nest("a", n)),
  "fields of a subscription nested": sizes(
    [8, 16, 64, 256, 1_000, 40_000],
    330,
    (n) => `subscription { messages(room: "a") ${nest("a", n)} }`,
  ),
  "braces never closed": sizes([1, 100, 10_000, 60_000], 0, (n) => "{ a ".repeat(n)),
  "list literals nested": literals([64, 128, 256, 450, 1_000, 100_000], 450, (n) => "[".repeat(n) + "]".repeat(n)),
  "object literals nested": literals([64, 128, 240, 1_000, 40_000], 240, (n) => "{a:".repeat(n) + "1" + "}".repeat(n)),
  "aliases": sizes([16, 32, 64, 128, 256, 12_000], 330, (n) => `{ ${times(n, (i) => `a${i}: __typename`)} }`),
  "aliases of a subscription": sizes(
    [16, 64, 256, 10_000],
    320,
    (n) => `subscription { messages(room: "a") { ${times(n, (i) => `a${i}: id`)} } }`,
  ),
  "aliases shared out over fragments": one(
    COMPLEX,
    `{ ${times(4, (i) => `...F${i}`)} } ${times(4, (i) => `fragment F${i} on Query { ${aliases(4, i)} }`)}`,
  ),
  "aliases of one fragment, spread four times": one(
    COMPLEX,
    `{ room(room: "a") { ...F head { x } } viewer { ...F rooms { ...F members { ...F } } } } fragment F on Room { ${
      aliases(4)
    } }`,
  ),
  "one field repeated": sizes([52, 100, 200, 400, 3_000, 20_000], 990, (n) => `{ viewer { ${"id ".repeat(n)} } }`),
  "one selection repeated": sizes([52, 100, 200, 2_000], 240, (n) => `{ ${"viewer { id } ".repeat(n)} }`),
  "one selection repeated in inline fragments": sizes(
    [52, 100, 2_000],
    120,
    (n) => `{ ${"... { viewer { id } } ".repeat(n)} }`,
  ),
  "more fields than are answered": sizes([501, 990, 30_000], 990, (n) => `{ ${times(n, (i) => `f${i}`)} }`),
  "directives on one field": sizes([51, 100, 5_000], 140, (n) => `{ __typename ${"@include(if: true) ".repeat(n)} }`),
  "directives that nobody knows": sizes([51, 200, 400, 5_000], 490, (n) => `{ __typename ${"@x ".repeat(n)} }`),
  "directives on the operation": sizes([51, 5_000], 490, (n) => `query ${"@x ".repeat(n)} { __typename }`),
  "directives on a fragment": sizes(
    [51, 5_000],
    490,
    (n) => `{ ...F } fragment F on Query ${"@x ".repeat(n)} { __typename }`,
  ),
  "directives on variables": sizes([51, 5_000], 490, (n) => `query ($a: Int ${"@x ".repeat(n)}) { __typename }`),
  "fragments doubling": sizes([9, 12, 25, 49, 50, 1_000], 80, (n) => multiplying(n, 2)),
  "fragments doubling in fields": sizes([6, 10, 15], 40, (n) => multiplying(n, 2, (inner) => `viewer { ${inner} }`)),
  "fragments tenfold": sizes([4, 8, 16, 30], 35, (n) => multiplying(n, 10)),
  "fragments doubling that nobody spreads": sizes([9, 25], 80, (n) => `{ __typename } ${chain(n, 2)}`),
  "fragments doubling to one that does not exist": sizes([9, 25], 80, (n) => `{ ...F0 } ${links(n, 2)}`),
  "empty fragments doubling": sizes(
    [9, 25],
    80,
    (n) =>
      `{ ...F0 } ${
        times(n, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)
      } fragment F${n} on Query {}`,
  ),
  "many fragments": sizes([51, 70, 90, 4_000], 100, (n) => `{ ${times(n, (i) => `...F${i}`)} } ${times(n, leaf)}`),
  "two fragments of one name, the first too large": one(
    COMPLEX,
    `{ ...F } fragment F on Query { ${"viewer { id } ".repeat(60)} } fragment F on Query { __typename }`,
  ),
  "a fragment cycle": [1, 2, 5, 25, 50].map((n) => ({ query: `{ ...F0 } ${cycle(n, 1)}`, code: INVALID })),
  "a fragment cycle that doubles": [1, 2, 5, 25, 50].map((n) => ({ query: `{ ...F0 } ${cycle(n, 2)}`, code: INVALID })),
  "a fragment cycle through fields": one(INVALID, `{ ...F } fragment F on Query { viewer { rooms { ...F } } }`),
  "inline fragments nested": sizes(
    [202, 250, 320, 1_000, 30_000],
    320,
    (n) => `${"{ ... ".repeat(n)}{ a }${" }".repeat(n)}`,
  ),
  "introspection nested": sizes([16, 32, 128, 10_000], 310, (n) => `{ __schema { types ${nest("ofType", n)} } }`),
  "introspection in a circle": [3, 4].map((n) => ({
    query: `{ __schema { types { ${"fields { type { ".repeat(n)} name ${"} } ".repeat(n)} } } }`,
    code: INVALID,
  })),
  "introspection in a circle of fragments": one(
    INVALID,
    "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...T } } }",
  ),
  "introspection several times": sizes(
    [2, 4, 8, 15],
    60,
    (n) => `{ ${times(n, (i) => `s${i}: __schema { types { name } }`)} }`,
  ),
  "introspection with aliases": one(COMPLEX, "{ __schema { a: types { name } b: types { name } } }"),
  "a type's introspection with aliases, in a fragment": one(
    COMPLEX,
    `{ __type(name: "Room") { ...T } } fragment T on __Type { a: fields { name } }`,
  ),
  "aliased mutations": sizes([16, 32, 64, 500], 80, (n) => `mutation { ${times(n, (i) => `m${i}: ${send(i)}`)} }`),
  "lines before a mistake": [
    ...[2_001, 30_000, 120_000].map((n) => "\n".repeat(n)),
    "\r".repeat(120_000),
    "\r\n".repeat(60_000),
    "# comment\n".repeat(20_000),
  ].map((lines) => ({ query: `${lines}{ nobody }`, code: COMPLEX })),
  "lines of a text": one(COMPLEX, `{ room(room: """${"\n a".repeat(50_000)}""") { id } }`),
  "mutations of one name": one(INVALID, `mutation { ${times(2, send)} }`),
  "more operations than can be told apart": one("BAD_USER_INPUT", times(100, (i) => `query Q${i} { __typename }`)),
  "more nodes than one answer has": [
    "{ rooms { nodes { messages { nodes { id } } } } }",
    "{ rooms(first: 50) { nodes { messages(last: 50) { nodes { id } } } } }",
    "{ rooms(first: 50) { edges { node { messages(first: 50) { edges { node { id } } } } } } }",
    "{ rooms(first: 300) { edges { cursor } nodes { id members(first: 2) { nodes { id } } } } }",
    "{ viewer { rooms { messages { nodes { id } } } } }",
    "{ viewer { rooms { members { edges { cursor } } } } }",
    `{ room(room: "a") { a: messages(last: 300) { nodes { id } edges { cursor } } b: messages(last: 300) { ...P } } }
      fragment P on MessageConnection { edges { cursor } nodes { id } }`,
    `subscription { roomEvents(room: "a", types: [SNAPSHOT]) {
      ... on RoomSnapshot { members { id } again: members { userId } } } }`,
  ].map((query) => ({ query, code: COMPLEX })),
  "more nodes by variables": [{ first: 300 }, { first: 20 }, {}, { first: null }, { first: 1e300 }].map((
    variables,
  ) => ({
    query: "query ($first: Int = 50) { rooms(first: 50) { nodes { messages(first: $first) { nodes { id } } } } }",
    variables,
    code: COMPLEX,
  })),
  "variables nested": [34, 100, 1_000, 10_000, 100_000].map((n) => ({
    query: `mutation ($data: JSON) { sendMessage(room: "a", content: "x", data: $data) { success } }`,
    variables: { data: nestedJson(n) },
    code: "BAD_USER_INPUT",
    refusedBy: "request",
  })),
  "variables nested that nobody declared": [34, 100_000].map((n) => ({
    query: `subscription { messages(room: "a") { id } }`,
    variables: { data: nestedJson(n) },
    code: "BAD_USER_INPUT",
    refusedBy: "request",
  })),
};

/** Arrays, one within the other. */
export function nestedJson(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

/** Sizes up to the last that the token limit lets through are too complex, larger ones are not parsed. */
function sizes(numbers: readonly number[], lastParsed: number, write: (size: number) => string): Shape {
  return numbers.map((size) => ({ query: write(size), code: size <= lastParsed ? COMPLEX : PARSE }));
}

/** The same for data of a message, of which so many levels are allowed that only its field refuses it. */
function literals(numbers: readonly number[], lastParsed: number, write: (size: number) => string): Shape {
  return numbers.map((size): Bomb => {
    const query = `mutation { sendMessage(room: "a", content: "x", data: ${write(size)}) { success } }`;
    return size <= lastParsed ? { query, code: "BAD_USER_INPUT", refusedBy: "execution" } : { query, code: PARSE };
  });
}

function one(code: ErrorCode, query: string): Shape {
  return [{ query, code }];
}

function times(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => write(index)).join(" ");
}

function nest(name: string, levels: number): string {
  return `${`{ ${name} `.repeat(levels)}${"} ".repeat(levels)}`;
}

function aliases(count: number, prefix: number | string = ""): string {
  return times(count, (index) => `a${prefix}x${index}: __typename`);
}

function leaf(index: number): string {
  return `fragment F${index} on Query { __typename }`;
}

function send(index: number): string {
  return `sendMessage(room: "a", content: "${index}") { success }`;
}

/** Fragments each of which spreads the next one so many times; the last one does not exist. */
function links(count: number, factor: number, wrap = (inner: string): string => inner): string {
  return times(
    count,
    (index) => `fragment F${index} on Query { __typename ${times(factor, () => wrap(`...F${index + 1}`))} }`,
  );
}

function chain(count: number, factor: number, wrap?: (inner: string) => string): string {
  return `${links(count, factor, wrap)} ${leaf(count)}`;
}

function multiplying(count: number, factor: number, wrap?: (inner: string) => string): string {
  return `{ ...F0 } ${chain(count, factor, wrap)}`;
}

function cycle(count: number, factor: number): string {
  return times(
    count,
    (index) => `fragment F${index} on Query { ${times(factor, () => `...F${(index + 1) % count}`)} }`,
  );
}
