import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { resumable, type ResumableOperation, type ResumableOptions } from "../src/client.ts";
import { MESSAGES, SEND } from "./support/documents.ts";

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
  async connect(socket: unknown = {}): Promise<Readonly<Record<string, unknown>>> {
    this.options.on.opened(socket);
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

/** A socket as graphql-ws wires it. */
class FakeSocket {
  /** The errors and the closes that graphql-ws has seen. */
  readonly heard: unknown[] = [];
  closedWith: unknown;
  onmessage: unknown = () => {};
  onerror: (() => void) | null = () => void this.heard.push("error");
  onclose: ((event: { readonly code: number }) => void) | null = ({ code }) => void this.heard.push(code);

  close(...closedWith: unknown[]): void {
    this.closedWith = closedWith;
  }

  /** Breaks, as sockets tell of it. */
  fail(): void {
    this.onerror!();
    this.onclose?.({ code: 1006 });
  }
}

/** Takes what goes to the console as an error: what is named last each time. */
class PrintedErrors implements Disposable {
  readonly errors: unknown[] = [];
  readonly #real = console.error;

  constructor() {
    console.error = (_text: string, error: unknown) => void this.errors.push(error);
  }

  [Symbol.dispose](): void {
    console.error = this.#real;
  }
}

/** Keeps timers from running until the test says so. */
class FakeTimers implements Disposable {
  started = 0;
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  readonly #waiting = new Map<number, { readonly waitMs: number; readonly run: () => void }>();

  constructor() {
    Object.assign(globalThis, {
      setTimeout: (run: (...args: unknown[]) => void, waitMs: number, ...args: unknown[]) => {
        this.#waiting.set(++this.started, { waitMs, run: () => run(...args) });
        return this.started;
      },
      clearTimeout: (id: number) => void this.#waiting.delete(id),
    });
  }

  get waitsMs(): readonly number[] {
    return Array.from(this.#waiting.values(), ({ waitMs }) => waitMs);
  }

  fire(): void {
    for (const { run } of this.#waiting.values()) run();
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
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
  Deno.test(`resumable() tells of losses and recoveries once each: ${what}`, async () => {
    const driven = new Driven();
    driven.subscribe("a", "a");
    await driven.reconnect("a");

    say(driven);

    assertEquals(driven.told, told);
  });
}

Deno.test("resumable() tells of a recovery and of a loss again at another connection, also before any message", async () => {
  const driven = new Driven();
  driven.subscribe("a", "a");
  await driven.reconnect("a");
  driven.ping({ rooms: { a: "1" }, recovered: ["a"] });
  driven.ping({ rooms: { a: "2" }, gap: ["a"] });

  await driven.reconnect("a");
  driven.ping({ rooms: { a: "3" }, recovered: ["a"] });
  await driven.reconnect("a");
  driven.ping({ rooms: { a: "4" }, gap: ["a"] });

  assertEquals(driven.told, ["recovered a", "gap a", "recovered a", "gap a"]);
});

Deno.test("resumable() tells of no recovery where no break was, behind after, but of a hole", async () => {
  const driven = new Driven();
  await driven.connect();
  for (const id of ["a", "b"]) driven.subscribe(id, id);
  driven.next("a", { cursor: "1", recovered: true });
  driven.ping({ rooms: {}, recovered: ["a"] });
  driven.next("b", { cursor: "1", recovered: false });
  assertEquals(driven.told, ["gap b"]);

  await driven.reconnect("a");
  driven.subscribe("c", "c");
  for (const id of ["a", "c"]) driven.next(id, { cursor: "2", recovered: true });

  assertEquals(driven.told, ["gap b", "recovered a"]);
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
  await driven.reconnect("a");
  using printed = new PrintedErrors();

  driven.next("a", { cursor: "1", gap: true });
  driven.next("a", { cursor: "2", recovered: true });

  assertEquals(await driven.reconnect(), { a: "2" });
  assertEquals(printed.errors, failures);
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

const NAMELESS: readonly unknown[] = [
  { type: "complete", id: "a" },
  { "": { type: "complete", id: "a" } },
  [{ "": { type: "complete", id: "a" } }],
  { type: "subscribe", id: "a", payload: { query: MESSAGES, variables: { room: "other" } } },
];

for (const value of NAMELESS) {
  Deno.test(`resumable() takes no variable without a name for a message: ${JSON.stringify(value)}`, async () => {
    const driven = new Driven();
    driven.next(driven.subscribe("a", "a"), { cursor: "1" });
    const payload = { query: SEND, variables: { "": value } };

    for (const id of ["b", "c"]) driven.send({ id, type: "subscribe", payload });
    driven.ping({ rooms: {}, gap: ["a"] });

    assertEquals(driven.told, ["gap a"]);
    assertEquals(await driven.reconnect(), { a: "1" });
    driven.send({ id: "a", type: "complete" });
    assertEquals(await driven.reconnect(), undefined);
  });
}

/** Why a connection is given up in the app, and not by the network. */
const APP_ERRORS: readonly unknown[] = [
  new Error("not taken"),
  "no token",
  undefined,
  { code: "auth/expired", message: "no token" },
];

for (const error of APP_ERRORS) {
  Deno.test(`resumable() says on the console that the app failed, and hears no late close: ${error instanceof Error ? error : JSON.stringify(error)}`, async () => {
    using printed = new PrintedErrors();
    const driven = new Driven();
    const socket = new FakeSocket();
    await driven.connect(socket);

    driven.options.on.error(error);
    socket.fail();

    assertEquals(printed.errors, [error]);
    assertEquals(socket.heard, []);
  });
}

Deno.test("resumable() leaves a socket's own error to graphql-ws, and the close behind it", async () => {
  using printed = new PrintedErrors();
  const driven = new Driven();
  const socket = new FakeSocket();
  await driven.connect(socket);

  driven.options.on.error({ type: "error", target: socket });
  socket.fail();

  assertEquals(printed.errors, []);
  assertEquals(socket.heard, ["error", 1006]);
});

Deno.test("resumable() has the server pinged every 12 s", () => {
  assertEquals(resumable().keepAlive, 12_000);
});

Deno.test("resumable() gives a socket up when nothing comes for 5 s behind a ping, and hears no more of it", async () => {
  using timers = new FakeTimers();
  const driven = new Driven();
  const socket = new FakeSocket();
  await driven.connect(socket);

  driven.options.on.ping(false);
  assertEquals(timers.waitsMs, [5_000]);
  timers.fire();
  assertEquals([socket.heard, socket.closedWith], [[4499], [4499, "Terminated"]]);
  socket.fail();

  assertEquals(socket.heard, [4499]);
});

/** What ends the wait for a Pong: then no timer is left. */
const ANSWERS: Readonly<Record<string, (driven: Driven) => void>> = {
  "a Pong": (driven) => driven.options.on.message({ type: "pong" }),
  "a close": (driven) => driven.options.on.closed({}),
  "an error of the socket": (driven) => driven.options.on.error({ target: new FakeSocket() }),
  "an error of the app": (driven) => driven.options.on.error(new Error("not taken")),
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  Deno.test(`resumable() waits for no Pong any more: ${what}`, async () => {
    using _printed = new PrintedErrors();
    using timers = new FakeTimers();
    const driven = new Driven();
    await driven.connect(new FakeSocket());
    driven.options.on.ping(false);

    answer(driven);

    assertEquals(timers.waitsMs, []);
  });
}

Deno.test("resumable() waits for the Pong anew at each message before it, and for none when the server pings", async () => {
  using timers = new FakeTimers();
  const driven = new Driven();
  await driven.connect(new FakeSocket());

  driven.ping({});
  driven.options.on.ping(true);
  assertEquals(timers.started, 0);
  driven.options.on.ping(false);
  driven.next("a", {});
  driven.ping({});

  assertEquals([timers.started, timers.waitsMs], [3, [5_000]]);
  driven.options.on.message({ type: "pong" });
  driven.next("a", {});
  assertEquals([timers.started, timers.waitsMs], [3, []]);
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
