import { clientFrameOf, FIN, messageFrame, OPCODES, textFrame } from "./client_frame.ts";
import {
  BAD,
  both,
  INIT,
  live,
  LIVES,
  nestedJson,
  NO_OBJECTS,
  one,
  QUERY,
  query,
  UNAUTHORIZED,
} from "./message_cases.ts";
import type { WireCase } from "./outcomes.ts";

/** Messages that are about the connection, or about nothing, and what comes of each. */
export const CONNECTION_CASES: Readonly<Record<string, readonly WireCase[]>> = {
  "text that is no message": noMessages(),
  "types that there are not, and the server's own": types(),
  "connection_init": inits(),
  "ping and pong": pings(),
};

function noMessages(): WireCase[] {
  const texts = [
    "",
    " ",
    "\u0000",
    "{",
    "}",
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1e999",
    '"connection_init"',
    JSON.stringify(JSON.stringify({ type: "ping" })),
    JSON.stringify(JSON.stringify({ type: "next", id: "1", payload: {} })),
    JSON.stringify([{ type: "ping" }]),
    JSON.stringify([INIT]),
    '{"type":"ping"',
    '{"type":"ping",}',
    '{"type":"ping"}}',
    '{"type":"ping"} {"type":"ping"}',
    '{"type":"ping"}\n{"type":"ping"}',
    '{"type":"ping"}\u0000',
    '\ufeff{"type":"ping"}',
    "{'type':'ping'}",
    "{type:'ping'}",
    '{"type":"ping"}// well',
    '/* well */{"type":"ping"}',
    '{"type":"ping","payload":NaN}',
    '{"type":"ping","payload":undefined}',
    '{"type":"ping","payload":{"x":01}}',
    '{"type":"ping","payload":{"x":.5}}',
    '{"type":"ping","payload":{"x":0x10}}',
    '{"type":"ping","payload":{"x":"\n"}}',
    '{"type":"ping","payload":{"x":"\\x41"}}',
    '{"type":"ping","payload":{"x":"\\u12"}}',
    '{"type":"ping"\u00a0}',
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "<message/>",
    "[".repeat(100_000),
    '{"a":'.repeat(50_000),
    nestedJson(100_000),
  ];
  return texts.flatMap((text, at) => {
    // Before the acknowledgement nothing that large is looked at.
    const early = text.length > 32_768 ? ["close 1009"] : BAD;
    return both(`no message ${at}: ${JSON.stringify(text.slice(0, 60))}`, text, BAD, early);
  });
}

function types(): WireCase[] {
  const unknown = [
    "hello",
    "",
    "Subscribe",
    "SUBSCRIBE",
    "subscribe ",
    "subscribe\u0000",
    "connection-init",
    "connection_terminate",
    "start",
    "stop",
    "data",
    "ka",
    "__proto__",
    "constructor",
    "toString",
    "x".repeat(10_000),
    null,
    0,
    1,
    true,
    ["ping"],
    { type: "ping" },
  ];
  const payloads = [undefined, null, {}, { data: {} }, [], [{ message: "x" }], "x"];
  return [
    ...unknown.flatMap((type) =>
      both(
        `the type ${JSON.stringify(type).slice(0, 60)}`,
        JSON.stringify({ id: "1", type, payload: { query: QUERY } }),
        BAD,
      )
    ),
    ...["next", "error", "connection_ack"].flatMap((type) =>
      payloads.flatMap((payload) =>
        both(`${type} with the payload ${JSON.stringify(payload)}`, JSON.stringify({ id: "1", type, payload }), BAD)
      )
    ),
    ...both("next without an id", JSON.stringify({ type: "next", payload: {} }), BAD),
    ...both("error without an id", JSON.stringify({ type: "error", payload: [{ message: "x" }] }), BAD),
    ...both("next, written in escapes", '{"id":"1","type":"\\u006eext","payload":{}}', BAD),
    one("next for an operation that runs", [live("1"), { id: "1", type: "next", payload: { data: {} } }], BAD),
    one("error for an operation that runs", [live("1"), { id: "1", type: "error", payload: [{ message: "x" }] }], BAD),
  ];
}

function inits(): WireCase[] {
  const cases: WireCase[] = [];
  for (const [what, payload] of Object.entries(NO_OBJECTS)) {
    cases.push(...both(`connection_init with ${what} for a payload`, JSON.stringify({ ...INIT, payload }), BAD));
  }
  const payloads = [undefined, null, {}, { userId: "ann" }, JSON.parse('{"__proto__":{"userId":"eve"}}'), {
    x: [[[]]],
  }];
  for (const [at, payload] of payloads.entries()) {
    const text = JSON.stringify({ ...INIT, payload });
    cases.push(...both(`connection_init ${at}`, text, ["close 4429"], ["ack", ...LIVES]));
  }
  cases.push(
    { ...one("connection_init twice in one chunk", [INIT, INIT], ["close 4429"]), early: true },
    { ...one("an operation in the chunk of the connection_init", [INIT, query("1")], UNAUTHORIZED), early: true },
    {
      name: "a ping before the connection_init",
      early: true,
      chunks: [messageFrame({ type: "ping" }), messageFrame(INIT)],
      outcome: ["pong", "ack", ...LIVES],
    },
    {
      name: "a complete before the connection_init",
      early: true,
      chunks: [messageFrame({ id: "1", type: "complete" }), messageFrame(INIT)],
      outcome: ["ack", ...LIVES],
    },
    {
      name: "a connection_init nested 16,000 levels deep",
      early: true,
      chunks: [textFrame(`{"type":"connection_init","payload":{"x":${nestedJson(16_000)}}}`)],
      outcome: ["ack", ...LIVES],
    },
    {
      name: "a connection_init of 32 KiB",
      early: true,
      chunks: [textFrame(JSON.stringify(INIT).padEnd(32_768))],
      outcome: ["ack", ...LIVES],
    },
    {
      name: "a connection_init of one byte more",
      early: true,
      chunks: [textFrame(JSON.stringify(INIT).padEnd(32_769))],
      outcome: ["close 1009"],
    },
    {
      name: "a connection_init of 20 MB",
      early: true,
      chunks: [clientFrameOf(FIN | OPCODES.text, "", { length: 20_000_000 })],
      outcome: ["close 1009"],
    },
    {
      name: "a connection_init as a binary message",
      early: true,
      chunks: [clientFrameOf(FIN | OPCODES.binary, JSON.stringify(INIT))],
      outcome: BAD,
    },
  );
  const refused: Record<string, [unknown, string]> = {
    "a reserved user id": [{ userId: "server" }, "close 4401"],
    "a guest's user id": [{ userId: "guest-1" }, "close 4401"],
    "a user id that is a list": [{ userId: ["ann"] }, "close 4400"],
    "a session id that is none": [{ sessionId: "with space" }, "close 4400"],
    "a session id that is an object": [{ sessionId: {} }, "close 4400"],
    "resume that is a list": [{ resume: [] }, "close 4400"],
    "resume that is a text": [{ resume: "x" }, "close 4400"],
  };
  for (const [what, [payload, end]] of Object.entries(refused)) {
    cases.push({ name: what, early: true, chunks: [messageFrame({ ...INIT, payload })], outcome: [end] });
  }
  cases.push({
    name: "resume with entries that are no cursors",
    early: true,
    chunks: [messageFrame({ ...INIT, payload: { resume: { a: 1, __proto__: null, constructor: [], "": {} } } })],
    outcome: ["ack", ...LIVES],
  });
  return cases;
}

function pings(): WireCase[] {
  const cases: WireCase[] = [];
  for (const type of ["ping", "pong"]) {
    for (const [what, payload] of Object.entries(NO_OBJECTS)) {
      cases.push(...both(`${type} with ${what} for a payload`, JSON.stringify({ type, payload }), BAD));
    }
  }
  cases.push(...both("a ping", '{"type":"ping"}', ["pong", ...LIVES]));
  cases.push(...both("a ping with null", '{"type":"ping","payload":null}', ["pong", ...LIVES]));
  for (
    const payload of ["{}", '{"a":[1,"2",null]}', '{"__proto__":{"a":1}}', '{"constructor":1}', '{"rooms":{"1":"x"}}']
  ) {
    cases.push(
      ...both(`a ping with ${payload}`, `{"type":"ping","payload":${payload}}`, [`pong ${payload}`, ...LIVES]),
    );
    cases.push(...both(`a pong with ${payload}`, `{"type":"pong","payload":${payload}}`, LIVES));
  }
  for (const rooms of ["1", '"x"', "[]", "null", '{"1":1}', '{"__proto__":"x"}', '{"1":{}}']) {
    cases.push(...both(`a pong with rooms ${rooms}`, `{"type":"pong","payload":{"rooms":${rooms}}}`, LIVES));
  }
  const levels = '{"type":"ping","payload":{"x":';
  const deep = (depth: number): string => `${levels}${nestedJson(depth)}}}`;
  cases.push(...both("a ping nested 99 levels deep", deep(98), ["pong 202 characters", ...LIVES]));
  cases.push(...both("a ping nested too deep to be sent back", deep(100), BAD));
  cases.push(...both("a ping nested 15,000 levels deep", deep(15_000), BAD));
  cases.push({ name: "a ping nested 100,000 levels deep", chunks: [textFrame(deep(100_000))], outcome: BAD });
  cases.push({
    name: "a pong nested 100,000 levels deep",
    chunks: [textFrame(deep(100_000).replace("ping", "pong"))],
    outcome: LIVES,
  });
  cases.push({
    name: "a ping of 200 KB",
    chunks: [messageFrame({ type: "ping", payload: { x: "x".repeat(200_000) } })],
    outcome: ["pong 200008 characters", ...LIVES],
  });
  return cases;
}
