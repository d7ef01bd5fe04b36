import { messageFrame, textFrame } from "./client_frame.ts";
import { BAD, both, live, LIVES, nestedJson, NO_OBJECTS, one, QUERY, query, UNAUTHORIZED } from "./message_cases.ts";
import { ODD_IDS } from "./odd_ids.ts";
import type { WireCase } from "./outcomes.ts";

/** JSON values that are no text. */
const NO_TEXTS = { "a number": 1, "0": 0, "true": true, "false": false, "a list": ["x"], "an object": {} } as const;

/** Messages that are about operations, and what comes of each. */
export const OPERATION_CASES: Readonly<Record<string, readonly WireCase[]>> = {
  "subscribe": subscribes(),
  "documents": documents(),
  "ids": ids(),
  "complete": completes(),
  "keys, numbers and characters of JSON": json(),
};

function subscribes(): WireCase[] {
  const cases: WireCase[] = [];
  const wrong = (what: string, message: unknown): void =>
    void cases.push(...both(`subscribe with ${what}`, JSON.stringify(message), BAD));
  for (const [what, value] of Object.entries(NO_TEXTS)) {
    wrong(`${what} for an id`, { ...query("1"), id: value });
    wrong(`${what} for a query`, { ...query("1"), payload: { query: value } });
    wrong(`${what} for an operationName`, { ...query("1"), payload: { query: QUERY, operationName: value } });
  }
  for (const [what, value] of Object.entries(NO_OBJECTS)) {
    wrong(`${what} for a payload`, { ...query("1"), payload: value });
    wrong(`${what} for variables`, { ...query("1"), payload: { query: QUERY, variables: value } });
    wrong(`${what} for extensions`, { ...query("1"), payload: { query: QUERY, extensions: value } });
  }
  wrong("no id", { ...query("1"), id: undefined });
  wrong("null for an id", { ...query("1"), id: null });
  wrong("an empty id", query(""));
  wrong("no payload", { id: "1", type: "subscribe" });
  wrong("null for a payload", { id: "1", type: "subscribe", payload: null });
  wrong("no query", { id: "1", type: "subscribe", payload: {} });
  wrong("null for a query", { id: "1", type: "subscribe", payload: { query: null } });
  wrong("a query beside its payload", { id: "1", type: "subscribe", query: QUERY });
  const right: Record<string, object> = {
    "nothing but a query": {},
    "nulls": { variables: null, operationName: null, extensions: null },
    "empty objects": { variables: {}, extensions: {} },
    "keys nobody knows": { id: "2", type: "next", constructor: 1 },
    "variables nobody asked for": { variables: { a: 1, constructor: {}, toString: null } },
    "extensions nobody knows": { extensions: { persistedQuery: { version: 1, sha256Hash: "x" } } },
    "headers that are no object": { extensions: { headers: 1 } },
    "headers that are a list": { extensions: { headers: [] } },
  };
  for (const [what, more] of Object.entries(right)) {
    const text = JSON.stringify({ id: "1", type: "subscribe", payload: { query: QUERY, ...more } });
    cases.push(...both(`subscribe with ${what}`, text, ["next 1", "complete 1", ...LIVES], UNAUTHORIZED));
  }
  cases.push(
    ...both(
      "subscribe with a syntax error",
      JSON.stringify(query("1", "{")),
      refused("GRAPHQL_PARSE_FAILED"),
      UNAUTHORIZED,
    ),
  );
  cases.push({
    name: "an x-session-id that is none",
    chunks: [
      messageFrame({ ...query("1"), payload: { query: QUERY, extensions: { headers: { "x-session-id": 1 } } } }),
    ],
    outcome: refused("BAD_USER_INPUT"),
  });
  return cases;
}

function documents(): WireCase[] {
  const syntax = [
    "",
    " ",
    "{",
    "}",
    "{ viewer",
    "query",
    "query {",
    "hello",
    "{ viewer(",
    "\u0000",
    "#",
    '"',
    "{ a: }",
    "…",
  ];
  const invalid = [
    "{ nothing }",
    "{ viewer }",
    "{ viewer { nothing } }",
    "{ viewer(a: 1) { userId } }",
    "{ __proto__ }",
    "{ constructor }",
    "mutation { nothing }",
    "subscription { nothing }",
    "subscription { a: __typename }",
    "query A { viewer { userId } } query A { viewer { userId } }",
    "query ($a: Int) { viewer { userId } }",
    "{ ...a } fragment a on Query { ...a }",
    "{ ...a }",
    "fragment a on Query { viewer { userId } } { viewer { userId } }",
    "{ viewer @nothing { userId } }",
    "type A { a: Int }",
    `subscription { messages(room: "a") { content } roomEvents(room: "a") { type } }`,
    `{ room(room: 1.5) { id } }`,
  ];
  const unknown = ["fragment a on Query { viewer { userId } }"];
  const cases: WireCase[] = [];
  const add = (text: string, code: string): void =>
    void cases.push({ name: `the document ${text}`, chunks: [messageFrame(query("1", text))], outcome: refused(code) });
  for (const text of syntax) add(text, "GRAPHQL_PARSE_FAILED");
  for (const text of invalid) add(text, "GRAPHQL_VALIDATION_FAILED");
  for (const text of unknown) add(text, "GRAPHQL_VALIDATION_FAILED");
  const two = "query A { viewer { userId } } query B { viewer { userId } }";
  for (
    const [operationName, outcome] of [
      [undefined, refused("BAD_USER_INPUT")],
      ["C", refused("BAD_USER_INPUT")],
      ["constructor", refused("BAD_USER_INPUT")],
      ["", refused("BAD_USER_INPUT")],
      ["B", ["next 1", "complete 1", ...LIVES]],
    ] as const
  ) {
    const message = { ...query("1"), payload: { query: two, operationName } };
    cases.push({ name: `of two operations ${operationName}`, chunks: [messageFrame(message)], outcome });
  }
  cases.push(
    one("a syntax error, with another operation that runs on", [query("1", "{"), live("2"), query("3")], [
      "error 1 GRAPHQL_PARSE_FAILED",
      "next 3",
      "complete 3",
      ...LIVES,
    ]),
    one("20 syntax errors under one id", Array.from({ length: 20 }, () => query("1", "{")), [
      ...Array.from({ length: 20 }, () => "error 1 GRAPHQL_PARSE_FAILED"),
      ...LIVES,
    ]),
    one(
      "a syntax error that is completed at once",
      [query("1", "{"), { id: "1", type: "complete" }],
      refused("GRAPHQL_PARSE_FAILED"),
    ),
    one("a syntax error, its complete, and a query with its id", [
      query("1", "{"),
      { id: "1", type: "complete" },
      query("1"),
    ], ["error 1 GRAPHQL_PARSE_FAILED", "next 1", "complete 1", ...LIVES]),
    one("a room nobody may have", [live("1", "\u0000")], refused("BAD_USER_INPUT")),
    one("a cursor that is none", [
      {
        id: "1",
        type: "subscribe",
        payload: { query: `subscription { messages(room: "a", after: "x") { content } }` },
      },
    ], refused("BAD_USER_INPUT")),
  );
  return cases;
}

function ids(): WireCase[] {
  const cases: WireCase[] = ODD_IDS.flatMap((id): WireCase[] => {
    const name = JSON.stringify(id).slice(0, 40);
    const shown = id.length > 60 ? `${id.length} characters` : id;
    return [
      one(`a query ${name}`, [query(id)], [`next ${shown}`, `complete ${shown}`, ...LIVES]),
      one(`a subscription ${name}, twice`, [live(id), live(id)], ["close 4409"]),
      one(`a subscription ${name}, completed, and a query`, [live(id), { id, type: "complete" }, query(id)], [
        `next ${shown}`,
        `complete ${shown}`,
        ...LIVES,
      ]),
      one(`a refused query ${name}`, [query(id, "{")], [`error ${shown} GRAPHQL_PARSE_FAILED`, ...LIVES]),
    ];
  });
  for (const length of [129, 1_000, 200_000]) {
    cases.push(one(`an id of ${length} characters`, [query("x".repeat(length)), query("1")], [
      `error ${length} characters BAD_USER_INPUT`,
      "next 1",
      "complete 1",
      ...LIVES,
    ]));
  }
  cases.push({
    name: "an id of 1 MB",
    chunks: [messageFrame(query("x".repeat(1_000_000)))],
    outcome: ["close 1009"],
  });
  cases.push(one("a query twice at once", [query("1"), query("1")], ["close 4409"]));
  cases.push(one("100 subscriptions and one more", Array.from({ length: 101 }, (_, at) => live(`${at}`)), [
    "error 100 SUBSCRIPTION_LIMIT",
    ...LIVES,
  ]));
  return cases;
}

function completes(): WireCase[] {
  const cases: WireCase[] = [];
  for (const [what, id] of Object.entries({ ...NO_TEXTS, "null": null, "nothing": undefined, "an empty text": "" })) {
    cases.push(...both(`complete with ${what} for an id`, JSON.stringify({ id, type: "complete" }), BAD));
  }
  for (const id of ["1", ...ODD_IDS, "x".repeat(200_000)]) {
    cases.push(
      one(`complete of ${JSON.stringify(id).slice(0, 40)}, which nobody has`, [{ id, type: "complete" }], LIVES),
    );
  }
  cases.push(
    one("complete with a payload", [{ id: "1", type: "complete", payload: 1 }], LIVES),
    one("complete twice", [live("1"), { id: "1", type: "complete" }, { id: "1", type: "complete" }], LIVES),
    one("complete of a query at once", [query("1"), { id: "1", type: "complete" }], LIVES),
    one(
      "an id again and again",
      Array.from({ length: 200 }, () => [live("1"), { id: "1", type: "complete" }]).flat(),
      LIVES,
    ),
  );
  return cases;
}

function json(): WireCase[] {
  const run = (name: string, payload: string, outcome: readonly string[]): WireCase => ({
    name,
    chunks: [textFrame(`{"id":"1","type":"subscribe","payload":${payload}}`)],
    outcome,
  });
  const send = (content: string): string =>
    `{"query":"mutation ($c: String!) { sendMessage(room: \\"lobby\\", content: $c) { success } }","variables":{"c":${content}}}`;
  const last = (last: string): string =>
    `{"query":"query ($n: Int) { room(room: \\"lobby\\") { messages(last: $n) { nodes { id } } } }","variables":{"n":${last}}}`;
  const done = ["next 1", "complete 1", ...LIVES];
  const refusedInData = ["next 1 BAD_USER_INPUT", "complete 1", ...LIVES];
  return [
    ...both("two types, the last of which is right", '{"type":"hello","type":"ping"}', ["pong", ...LIVES]),
    ...both("two types, the last of which is wrong", '{"type":"ping","type":"hello"}', BAD),
    ...both("two types, the last of which is the server's", '{"type":"ping","type":"next","id":"1","payload":{}}', BAD),
    ...both("a type under __proto__", '{"__proto__":{"type":"ping"}}', BAD),
    ...both("white space all over", ' \t\r\n{ "type" \n:\t"ping" } ', ["pong", ...LIVES]),
    ...both("a type in escapes", '{"type":"\\u0070ing"}', ["pong", ...LIVES]),
    ...both("a number beyond all numbers", '{"type":"ping","payload":{"x":1e999}}', ['pong {"x":null}', ...LIVES]),
    ...both("a number of 10,000 digits", `{"type":"ping","payload":{"x":${"9".repeat(10_000)}}}`, [
      'pong {"x":null}',
      ...LIVES,
    ]),
    ...both("a lone surrogate in escapes", '{"type":"ping","payload":{"x":"\\ud800"}}', [
      'pong {"x":"\\ud800"}',
      ...LIVES,
    ]),
    ...both("a pair of surrogates in escapes", '{"type":"ping","payload":{"x":"\\ud83d\\ude00"}}', [
      'pong {"x":"😀"}',
      ...LIVES,
    ]),
    ...both("a NUL in escapes", '{"type":"ping","payload":{"x":"\\u0000"}}', ['pong {"x":"\\u0000"}', ...LIVES]),
    ...both("2,000 keys", `{"type":"pong","payload":{${keys(2_000)}}}`, LIVES),
    run("two queries, the last of which counts", `{"query":"{","query":"${QUERY}"}`, done),
    run("an integer beyond 32 bits", last("2147483648"), refusedInData),
    run("an integer beyond 53 bits", last("9007199254740993"), refusedInData),
    run("1e999 for an integer", last("1e999"), refusedInData),
    run("a fraction for an integer", last("1.5"), refusedInData),
    run("a text for an integer", last('"1"'), refusedInData),
    run("a lone surrogate as content", send('"\\ud800"'), done),
    run("extensions nested 40,000 levels deep", `{"query":"${QUERY}","extensions":{"x":${nestedJson(40_000)}}}`, done),
    run("a number as content", send("1"), refusedInData),
    run("null as content", send("null"), refusedInData),
    run("a list nested 20,000 levels deep as content", send(nestedJson(20_000)), refused("BAD_USER_INPUT")),
  ];
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join();
}

function refused(code: string): readonly string[] {
  return [`error 1 ${code}`, ...LIVES];
}
