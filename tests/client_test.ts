import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type ClientOptions, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { resumable, type ResumableOperation, type ResumableOptions } from "../src/client.ts";
import { MESSAGES, SEND } from "./support/documents.ts";
import { ScriptedServer } from "./support/scripted_server.ts";
import { Received } from "./support/stock_client.ts";

/** Fails to compile when graphql-ws would not take the options. */
const _OPTIONS: Partial<ClientOptions> = resumable();

const PATIENCE_MS = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Uses the options as graphql-ws does, without a connection. */
class Driven {
  readonly options: ReturnType<typeof resumable>;
  /** What the callbacks were told of, in order: `gap <room>`, `recovered <room>`. */
  readonly told: string[] = [];

  constructor(options: ResumableOptions = {}) {
    this.options = resumable({
      onGap: ({ variables }) => void this.told.push(`gap ${variables?.room}`),
      onRecovered: ({ variables }) => void this.told.push(`recovered ${variables?.room}`),
      ...options,
    });
  }

  /** Connects, and says what is sent then. */
  async connect(): Promise<Readonly<Record<string, unknown>>> {
    this.options.on.opened({});
    return await this.options.connectionParams();
  }

  /** Comes back with these operations; says with which cursors. */
  async reconnect(...ids: string[]): Promise<unknown> {
    this.options.on.closed({});
    const { resume } = await this.connect();
    for (const id of ids) this.subscribe(id, id);
    return resume;
  }

  /** Subscribes to a room. */
  subscribe(room: string, id = this.options.generateID(), query = MESSAGES): string {
    this.send({ id, type: "subscribe", payload: { query, variables: { room } } });
    return id;
  }

  send(message: unknown): string {
    return JSON.stringify(message, this.options.jsonMessageReplacer);
  }

  next(id: string, extensions: unknown): void {
    this.options.on.message({ id, type: "next", payload: { data: {}, extensions } });
  }

  ping(payload: unknown): void {
    this.options.on.message({ type: "ping", payload });
  }
}

Deno.test("resumable() sends one session's id, a UUID, at every connection, and no resume when there is none", async () => {
  const [one, other] = [new Driven(), new Driven()];

  const [first, second, third] = [await one.connect(), await one.connect(), await other.connect()];

  assertEquals(Object.keys(first), ["sessionId"]);
  assertMatch(String(first.sessionId), UUID);
  assertEquals(second, first);
  assertNotEquals(third.sessionId, first.sessionId);
});

Deno.test("resumable() adds to the parameters given, whose sessionId wins", async () => {
  const driven = new Driven({ connectionParams: { userId: "ann", sessionId: "tab" } });
  driven.next(driven.subscribe("lobby", "a"), { cursor: "1" });

  assertEquals(await driven.connect(), { userId: "ann", sessionId: "tab", resume: { a: "1" } });
});

Deno.test("resumable() asks for the parameters at every connection, and then for the cursors", async () => {
  let calls = 0;
  const driven = new Driven({
    connectionParams: () => {
      calls++;
      driven.next(driven.subscribe("lobby", "a"), { cursor: `at ${calls}` });
      return Promise.resolve({ token: calls, sessionId: "tab" });
    },
  });

  assertEquals(await driven.connect(), { token: 1, sessionId: "tab", resume: { a: "at 1" } });
  assertEquals(await driven.connect(), { token: 2, sessionId: "tab", resume: { a: "at 2" } });
});

for (const [what, connectionParams] of [["null", null], ["a function without an answer", () => undefined]] as const) {
  Deno.test(`resumable() takes ${what} for no parameters`, async () => {
    assertEquals(Object.keys(await new Driven({ connectionParams }).connect()), ["sessionId"]);
  });
}

Deno.test("resumable() lets a try fail whose parameters cannot be had", async () => {
  const driven = new Driven({ connectionParams: () => Promise.reject(new Error("no token")) });

  await assertRejects(() => driven.connect(), Error, "no token");
});

Deno.test("resumable() comes back behind the last message or Ping, whichever was later", async () => {
  const driven = new Driven();
  for (const id of ["a", "b", "c", "d"]) driven.subscribe(id, id);

  driven.next("a", { cursor: "1" });
  driven.ping({ rooms: { a: "2", b: "1", d: "1" } });
  driven.next("d", { cursor: "2" });

  assertEquals(await driven.reconnect("a", "b", "c", "d"), { a: "2", b: "1", d: "2" });
  assertEquals(await driven.reconnect(), { a: "2", b: "1", d: "2" });
});

Deno.test("resumable() keeps the cursor when a message has none", async () => {
  const driven = new Driven();
  driven.next(driven.subscribe("lobby", "a"), { cursor: "1" });

  driven.next("a", {});
  driven.next("a", undefined);
  driven.ping({});
  driven.ping(undefined);

  assertEquals(await driven.reconnect(), { a: "1" });
});

const ENDS: Readonly<Record<string, (driven: Driven) => void>> = {
  "the app ends": (driven) => void driven.send({ id: "a", type: "complete" }),
  "the server completes": (driven) => driven.options.on.message({ id: "a", type: "complete" }),
  "the server refuses": (driven) => driven.options.on.message({ id: "a", type: "error", payload: [{ message: "no" }] }),
};

for (const [what, end] of Object.entries(ENDS)) {
  Deno.test(`resumable() forgets an operation that ${what}, whatever still comes of it`, async () => {
    const driven = new Driven();
    for (const id of ["a", "b"]) driven.next(driven.subscribe(id, id), { cursor: "1" });

    end(driven);
    driven.next("a", { cursor: "2", gap: true });
    driven.ping({ rooms: { a: "3" }, gap: ["a"], recovered: ["a"] });

    assertEquals(await driven.reconnect(), { b: "1" });
    assertEquals(driven.told, []);
  });
}

Deno.test("resumable() remembers 200 operations: the one that has not moved for longest goes first", async () => {
  const driven = new Driven();
  const ids = Array.from({ length: 200 }, (_, index) => `${index}`);
  for (const id of ids) driven.next(driven.subscribe(id, id), { cursor: "1" });
  driven.next("0", { cursor: "2" });
  driven.ping({ rooms: { "1": "2" } });
  driven.subscribe("2", "2");

  for (const id of ["new", "newer"]) driven.next(driven.subscribe(id, id), { cursor: "1" });

  const kept = Object.keys(await driven.reconnect() as object);
  assertEquals(kept.sort(), [...ids.filter((id) => id !== "3" && id !== "4"), "new", "newer"].sort());
});

Deno.test("resumable() lets no number of queries and mutations push out a subscription", async () => {
  const driven = new Driven();
  driven.next(driven.subscribe("lobby", "a"), { cursor: "1" });
  driven.subscribe("attic", "b");

  for (let index = 0; index < 500; index++) driven.next(driven.subscribe("lobby", `${index}`, SEND), { cursor: "1" });
  driven.next("b", { cursor: "1" });

  assertEquals(await driven.reconnect(), { a: "1", b: "1" });
});

/** What the server says of one subscription, and what the app is told. */
const NOTICES: Readonly<Record<string, readonly [say: (driven: Driven) => void, told: readonly string[]]>> = {
  "a message behind a gap": [(driven) => driven.next("a", { cursor: "1", gap: true }), ["gap a"]],
  "a first message that could not recover": [
    (driven) => driven.next("a", { cursor: "1", recovered: false }),
    ["gap a"],
  ],
  "a message that says both": [(driven) => driven.next("a", { recovered: false, gap: true }), ["gap a"]],
  "a Ping": [(driven) => driven.ping({ rooms: { a: "1" }, gap: ["a"] }), ["gap a"]],
  "Pings of one hole": [
    (driven) => {
      driven.ping({ rooms: { a: "1" }, gap: ["a"] });
      driven.ping({ rooms: {}, gap: ["a"] });
    },
    ["gap a"],
  ],
  "a Ping and the message of the same hole": [
    (driven) => {
      driven.ping({ rooms: { a: "1" }, gap: ["a"] });
      driven.next("a", { cursor: "2", recovered: false });
    },
    ["gap a"],
  ],
  "a Ping, its message, and the next hole's": [
    (driven) => {
      driven.ping({ rooms: {}, gap: ["a"] });
      driven.next("a", { cursor: "2", gap: true });
      driven.next("a", { cursor: "3", gap: true });
    },
    ["gap a", "gap a"],
  ],
  "a Ping, a message that is silent of it, and the next hole's": [
    (driven) => {
      driven.ping({ rooms: {}, gap: ["a"] });
      driven.next("a", { cursor: "2" });
      driven.ping({ rooms: {}, gap: ["a"] });
    },
    ["gap a", "gap a"],
  ],
  "two messages, a hole before each": [
    (driven) => {
      driven.next("a", { cursor: "2", gap: true });
      driven.next("a", { cursor: "3", gap: true });
    },
    ["gap a", "gap a"],
  ],
  "a first message that recovered": [(driven) => driven.next("a", { recovered: true }), ["recovered a"]],
  "a Ping and a message that recovered": [
    (driven) => {
      driven.ping({ rooms: {}, recovered: ["a"] });
      driven.next("a", { cursor: "1", recovered: true });
      driven.ping({ rooms: {}, recovered: ["a"] });
    },
    ["recovered a"],
  ],
  "a recovery, and a hole behind it": [
    (driven) => {
      driven.next("a", { cursor: "1", recovered: true });
      driven.next("a", { cursor: "2", gap: true });
    },
    ["recovered a", "gap a"],
  ],
  "nothing of losses": [
    (driven) => driven.next("a", { cursor: "1", gap: false, recovered: undefined }),
    [],
  ],
  "operations that nobody has": [
    (driven) => {
      driven.next("x", { gap: true, recovered: true });
      driven.ping({ rooms: { x: "1" }, gap: ["x"], recovered: ["x"] });
    },
    [],
  ],
};

for (const [what, [say, told]] of Object.entries(NOTICES)) {
  Deno.test(`resumable() tells of losses and recoveries once each: ${what}`, () => {
    const driven = new Driven();
    driven.subscribe("a", "a");

    say(driven);

    assertEquals(driven.told, told);
  });
}

Deno.test("resumable() tells of a recovery and of a loss again at another connection, also before any message", async () => {
  const driven = new Driven();
  driven.subscribe("a", "a");
  driven.ping({ rooms: { a: "1" }, recovered: ["a"] });
  driven.ping({ rooms: { a: "2" }, gap: ["a"] });

  await driven.reconnect("a");
  driven.ping({ rooms: { a: "3" }, recovered: ["a"] });
  await driven.reconnect("a");
  driven.ping({ rooms: { a: "4" }, gap: ["a"] });

  assertEquals(driven.told, ["recovered a", "gap a", "recovered a", "gap a"]);
});

Deno.test("resumable() goes on from before a hole, unless the Ping that tells of it also says where it ends", async () => {
  const driven = new Driven();
  for (const id of ["a", "b"]) driven.next(driven.subscribe(id, id), { cursor: "1" });

  driven.ping({ rooms: { b: "5" }, gap: ["a", "b"] });

  assertEquals(await driven.reconnect(), { a: "1", b: "5" });
});

Deno.test("resumable() tells which operation it is by what it was subscribed with", () => {
  const told: ResumableOperation[] = [];
  const driven = new Driven({ onGap: (operation) => told.push(operation) });
  const payload = { query: MESSAGES, variables: { room: "lobby" }, operationName: null, extensions: {} };
  driven.send({ id: "a", type: "subscribe", payload });

  driven.ping({ rooms: {}, gap: ["a"] });

  assertEquals(told, [{ operationId: "a", query: MESSAGES, variables: { room: "lobby" }, operationName: null }]);
});

Deno.test("resumable() goes on when a callback throws or rejects, and says so on the console", async () => {
  const failures = [new Error("thrown"), new Error("rejected")];
  const driven = new Driven({
    onGap: () => {
      throw failures[0];
    },
    onRecovered: () => Promise.reject(failures[1]) as unknown as void,
  });
  driven.subscribe("a", "a");
  const printed: unknown[] = [];
  const { error } = console;
  console.error = (_text: string, failure: unknown) => void printed.push(failure);
  try {
    driven.next("a", { cursor: "1", gap: true });
    driven.next("a", { cursor: "2", recovered: true });
    assertEquals(await driven.reconnect(), { a: "2" });
  } finally {
    console.error = error;
  }

  assertEquals(printed, failures);
});

const MALFORMED: readonly unknown[] = [
  null,
  "next",
  {},
  { type: "next" },
  { type: "next", id: "a", payload: null },
  { type: "next", id: "a", payload: { extensions: "cursor" } },
  { type: "next", id: "a", payload: { extensions: { cursor: 2, gap: "yes", recovered: 0 } } },
  { type: "next", id: { toString: 1 }, payload: { extensions: { cursor: "2", gap: true } } },
  { type: "ping", payload: { rooms: null, gap: null, recovered: 1 } },
  { type: "ping", payload: { rooms: ["a"], gap: "b", recovered: { toString: 1 } } },
  { type: "ping", payload: { rooms: { a: null }, gap: [null, {}, ["a"]], recovered: [1] } },
  { type: "complete" },
  { type: "error", id: ["a"] },
];

for (const message of MALFORMED) {
  Deno.test(`resumable() passes over ${JSON.stringify(message)}`, async () => {
    const driven = new Driven();
    driven.next(driven.subscribe("a", "a"), { cursor: "1" });

    driven.options.on.message(message);

    assertEquals(await driven.reconnect(), { a: "1" });
    assertEquals(driven.told, []);
  });
}

Deno.test("resumable() changes nothing of what is sent", () => {
  const driven = new Driven();
  const messages = [
    { type: "connection_init", payload: { sessionId: "tab" } },
    { id: "a", type: "subscribe", payload: { query: SEND, variables: { "": { type: "complete" }, list: [null, 1] } } },
    { type: "pong", payload: { rooms: { a: "1" } } },
    { id: "a", type: "complete" },
  ];

  for (const message of messages) assertEquals(driven.send(message), JSON.stringify(message));
});

Deno.test("resumable() makes an operation's id anew each time, a UUID", () => {
  const { options } = new Driven();

  const ids = Array.from({ length: 1_000 }, options.generateID);

  for (const id of ids) assertMatch(id, UUID);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("resumable() retries for ever: first within a second, at last within twenty, never at a fixed time", async () => {
  const { retryWait, retryAttempts, shouldRetry } = resumable();
  const { setTimeout } = globalThis;
  const waitsMs: number[] = [];
  globalThis.setTimeout = ((call: () => void, ms: number) => {
    waitsMs.push(ms);
    call();
  }) as typeof setTimeout;
  try {
    for (let retries = 0; retries < 2_000; retries++) await retryWait(retries % 20);
  } finally {
    globalThis.setTimeout = setTimeout;
  }

  for (const [index, waitMs] of waitsMs.entries()) {
    const mostMs = Math.min(20_000, 1_000 * 2 ** (index % 20));
    assertEquals(waitMs >= mostMs / 4 && waitMs < mostMs, true, `${waitMs} ms after ${index % 20} retries`);
  }
  assertEquals(new Set(waitsMs).size, waitsMs.length);
  assertEquals([retryAttempts, shouldRetry()], [Infinity, true]);
});

/** Follows a room with graphql-ws on npm's ws, as on Node. */
function follow(url: string, options: Partial<ClientOptions>, received = new Received()) {
  const client = createClient({ url, webSocketImpl: WebSocket, ...options });
  client.subscribe({ query: MESSAGES, variables: { room: "lobby" } }, received.sink);
  return {
    client,
    received,
    next: async () => (await received.nextField()).content,
    [Symbol.asyncDispose]: () => Promise.resolve(client.dispose()),
  };
}

const AT_ONCE = { retryWait: () => Promise.resolve() };

Deno.test("resumable() with graphql-ws comes back with the operation's id, its session and its last cursor", async () => {
  const told: unknown[] = [];
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, {
    ...resumable({
      connectionParams: { userId: "ann" },
      onGap: ({ operationId, variables }) => told.push([operationId, variables]),
    }),
    ...AT_ONCE,
  });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();
  first.cut();

  const second = await server.next();
  second.next("two", { cursor: "2", recovered: true });
  second.send({ type: "ping", payload: { rooms: { [second.id]: "3" }, gap: [second.id] } });
  second.next("three", {});
  assertEquals([await followed.next(), await followed.next()], ["two", "three"]);
  second.cut();
  const third = await server.next();

  const { sessionId, ...rest } = first.parameters;
  assertEquals(rest, { userId: "ann" });
  assertMatch(String(sessionId), UUID);
  assertMatch(first.id, UUID);
  assertEquals([second.id, third.id], [first.id, first.id]);
  assertEquals(second.parameters, { ...first.parameters, resume: { [first.id]: "1" } });
  assertEquals(third.parameters, { ...first.parameters, resume: { [first.id]: "3" } });
  assertEquals(told, [[first.id, { room: "lobby" }]]);
});

Deno.test("resumable() with graphql-ws asks again for a message whose handler threw", async () => {
  const received = new Received();
  const { next } = received.sink;
  received.sink.next = (result) => {
    if (received.results.length === 1) throw new Error("not taken");
    next(result);
  };
  await using server = await ScriptedServer.start();
  await using _followed = follow(server.url, { ...resumable(), ...AT_ONCE }, received);
  const first = await server.next();
  first.next("one", { cursor: "1" });
  first.next("two", { cursor: "2" });

  const second = await server.next();

  assertEquals(second.parameters.resume, { [first.id]: "1" });
});

Deno.test("resumable() with graphql-ws tries again when the parameters could not be had", async () => {
  let calls = 0;
  await using server = await ScriptedServer.start();
  await using _followed = follow(server.url, {
    ...resumable({
      connectionParams: () => {
        if (++calls === 1) throw new Error("no token");
        return { token: calls };
      },
    }),
    ...AT_ONCE,
  });

  assertEquals((await server.next()).parameters.token, 2);
});

Deno.test("resumable() with graphql-ws does not count what comes on a terminated socket, which nobody gets", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, { ...resumable(), retryWait: () => closed.promise });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();

  followed.client.terminate();
  first.next("two", { cursor: "2" });
  await deadline(first.closed, PATIENCE_MS);
  closed.resolve();
  const second = await server.next();

  assertEquals(second.parameters.resume, { [first.id]: "1" });
  assertEquals(followed.received.results.length, 1);
});

Deno.test("resumable() with graphql-ws asks for nothing that was unsubscribed", async () => {
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, { ...resumable(), ...AT_ONCE });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();
  const sink = { next() {}, error() {}, complete() {} };
  const stop = followed.client.subscribe({ query: MESSAGES, variables: { room: "attic" } }, sink);

  stop();
  first.send({ id: first.id, type: "complete" });
  await deadline(first.closed, PATIENCE_MS);
  followed.client.subscribe({ query: MESSAGES, variables: { room: "cellar" } }, sink);
  const second = await server.next();

  assertEquals(second.parameters.resume, undefined);
});
