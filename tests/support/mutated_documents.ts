import * as console from "../../src/console/documents.ts";
import { graphiqlTabs } from "../../src/transports/graphiql_tabs.ts";
import * as frontend from "./documents.ts";
import { GRAPHQL_BOMBS, nestedJson } from "./graphql_bombs.ts";

/** A document that may be anything, with variables that may be anything. */
export interface MutatedDocument {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What is mutated: what clients send. */
const PLAIN: readonly string[] = [
  ...Object.values(console),
  ...Object.values(frontend),
  ...[
    ...graphiqlTabs({ needsToken: false, introspection: true }),
    ...graphiqlTabs({ needsToken: true, introspection: false }),
  ],
  `{ viewer { id rooms { id members(first: 2) { totalCount nodes { userId state } edges { cursor } } } } server { node } }`,
  `query ($n: Int = 5) { room(room: "lobby") { head messages(last: $n) { nodes { id data } pageInfo { endCursor } } } }`,
  `subscription ($types: [RoomEventType!]! = [JOINED, SNAPSHOT]) { roomEvents(room: "lobby", types: $types) {
    type ... on RoomSnapshot { members { id } recovered } ... on MemberUpdated { member { state } } } }`,
  `mutation ($data: JSON) { broadcast(room: "lobby", event: "e", data: $data) { success duplicate message { id } } }`,
  `mutation { setPresence(room: "lobby", state: { typing: true }) { success } leaveRoom(room: "lobby") { success } }`,
  `fragment M on Message { id room } query { room(room: "lobby") { messages { nodes { ...M } } } __typename }`,
];
/** The same, and what is refused for what it would cost. */
const SEEDS: readonly string[] = [
  ...PLAIN,
  ...Object.values(GRAPHQL_BOMBS).flat().map(({ query }) => query).filter(({ length }) => length < 3_000),
];
const TOKEN = /"(?:[^"\\\n]|\\.)*"|\.\.\.|[A-Za-z_][A-Za-z_0-9]*|-?\d+(?:\.\d+)?|[^\s]/g;
/** What may stand where something else stood. */
const WORDS: readonly string[] = [
  ...SEEDS.flatMap((text) => text.match(TOKEN) ?? []).filter((word, index, all) => all.indexOf(word) === index),
  "__schema",
  "__type",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "1e400",
  "-9223372036854775809",
  '"""',
  "#",
  "@skip(if: true)",
  "@include(if: $room)",
  "@defer",
  "@stream",
  "@oneOf",
  "\u0000",
  "\uFEFF",
  "\uD800",
  "\u{1F600}",
];
const VALUES: readonly unknown[] = [
  "lobby",
  "",
  "x".repeat(200),
  "\u0000",
  "__proto__",
  null,
  true,
  0,
  -1,
  50,
  1e300,
  2 ** 53,
  [],
  {},
  ["JOINED"],
  [["lobby"]],
  { __proto__: 1, toString: 1 },
  nestedJson(20),
  nestedJson(40),
  nestedJson(5_000),
];
/** What the documents' variables should be. */
const VARIABLES: Readonly<Record<string, unknown>> = {
  room: "lobby",
  content: "hello",
  data: { version: 7 },
  event: "deployed",
  key: null,
  last: 5,
  after: null,
  n: 3,
  types: ["JOINED"],
  first: 2,
  excludeSelf: false,
};

/** Makes the next document of a series that a seed repeats. */
export function mutateDocument(random: () => number): MutatedDocument {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let tokens: string[] = [...pick(random() < 0.7 ? PLAIN : SEEDS).match(TOKEN) ?? []];
  for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
    const at = Math.floor(random() * tokens.length);
    const span = tokens.slice(at, at + 1 + Math.floor(random() * 12));
    const change = Math.floor(random() * 8);
    if (change === 0) tokens.splice(at, span.length);
    else if (change === 1) tokens.splice(at, 0, ...span);
    else if (change === 2) {
      tokens.splice(
        at,
        0,
        ...Array.from({ length: Math.floor(random() * 60) }, () => span).flat(),
      );
    } else if (change === 3) tokens[at] = pick(WORDS);
    else if (change === 4) tokens.splice(at, 0, pick(WORDS), pick(WORDS));
    else if (change === 5) tokens = [...tokens.slice(0, at), ...pick(SEEDS).match(TOKEN) ?? [], ...tokens.slice(at)];
    else if (change === 6) tokens = [...tokens, ...pick(SEEDS).match(TOKEN) ?? []];
    else tokens[at] = flip(tokens[at] ?? "", random);
  }
  const variables: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(VARIABLES)) {
    const chance = random();
    if (chance < 0.9) variables[name] = chance < 0.85 ? value : pick(VALUES);
  }
  return { query: tokens.join(" "), variables };
}

function flip(word: string, random: () => number): string {
  const at = Math.floor(random() * word.length);
  return word.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x250)) + word.slice(at + 1);
}
