import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MESSAGES, SEND } from "../support/documents.ts";
import { startLocalServer } from "../support/local_server.ts";
import { clientFrame, RawClient } from "../support/raw_client.ts";

const INIT = { type: "connection_init" };
const LOBBY = `subscription { messages(room: "lobby") { content } }`;

/** What one peer does wrong, and the close it gets. */
const CLOSES: Readonly<Record<string, readonly [messages: readonly unknown[], code: number]>> = {
  "a second connection_init": [[INIT, INIT], 4429],
  "a subscribe before the acknowledgement": [
    [{ id: "1", type: "subscribe", payload: { query: "{ viewer { id } }" } }],
    4401,
  ],
  "an id in use": [[INIT, subscribe("1", LOBBY), subscribe("1", LOBBY)], 4409],
  "text that is not JSON": [[INIT, "{ not json"], 4400],
  "a message of no known type": [[INIT, { type: "hello" }], 4400],
  "an empty id": [[INIT, subscribe("", LOBBY)], 4400],
  "a pong whose payload is no object": [[INIT, { type: "pong", payload: 1 }], 4400],
  "a binary message": [[new TextEncoder().encode(JSON.stringify(INIT))], 4400],
  "a connection_init over 32 KiB": [[{ ...INIT, payload: { pad: "x".repeat(33_000) } }], 1009],
  "a message over 256 KiB": [[INIT, "x".repeat(262_145)], 1009],
  "a session id that is none": [[{ ...INIT, payload: { sessionId: "with space" } }], 4400],
  "a reserved user id": [[{ ...INIT, payload: { userId: "server-1" } }], 4401],
};

function subscribe(id: string, query: string) {
  return { id, type: "subscribe", payload: { query } };
}

for (const [what, [messages, code]] of Object.entries(CLOSES)) {
  Deno.test(`${what} closes the socket with ${code}`, async () => {
    await using server = await startLocalServer();
    const acknowledged = messages[0] === INIT;
    await using client = await (acknowledged ? RawClient.ready : RawClient.connect)(server.webSocketUrl);

    for (const message of acknowledged ? messages.slice(1) : messages) client.send(message);

    assertEquals((await client.closed).code, code);
  });
}

Deno.test("no connection_init in time closes the socket with 4408", async () => {
  await using server = await startLocalServer({ limits: { initTimeoutMs: 20 } });
  await using client = await RawClient.connect(server.webSocketUrl);

  assertEquals((await client.closed).code, 4408);
});

Deno.test("a client that offers only another subprotocol is closed with 4406", async () => {
  await using server = await startLocalServer();

  const refusal = await assertRejects(
    () => RawClient.connect(server.webSocketUrl, { protocol: ["graphql-ws"] }),
    Error,
  );

  // npm ws refuses a handshake without a subprotocol itself, before it sees the close.
  assertMatch(refusal.message, /subprotocol/);
});

const REFUSED_UPGRADES = {
  "a foreign Origin": [{ origin: "https://evil.example" }, "/graphql", 403],
  "Origin null": [{ origin: "null" }, "/graphql", 403],
  "a foreign Host": [{ host: "evil.example" }, "/graphql", 403],
  "another path": [{}, "/elsewhere", 404],
} as const;

for (const [what, [headers, path, status]] of Object.entries(REFUSED_UPGRADES)) {
  Deno.test(`an upgrade with ${what} is answered ${status}, not 101`, async () => {
    await using server = await startLocalServer();
    const url = `ws://127.0.0.1:${server.port}${path}`;

    const refusal = await assertRejects(() => RawClient.connect(url, { headers }), Error);

    assertMatch(refusal.message, new RegExp(String(status)));
  });
}

Deno.test("an upgrade of another WebSocket version is answered 426 with the right one", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });

  await connection.write(upgradeRequest("8"));

  const answer = await new Response(connection.readable).text();
  assertMatch(answer, /^HTTP\/1\.1 426 .*Sec-WebSocket-Version: 13/s);
});

Deno.test("an operation id of more than 128 characters is an error for it, and the socket lives", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const id = "x".repeat(129);

  client.subscribe(id, LOBBY);
  client.subscribe("1", "{ viewer { userId } }");

  const refusal = await client.next();
  assertEquals([refusal.type, refusal.id, refusal.payload[0].extensions.code], ["error", id, "BAD_USER_INPUT"]);
  assertEquals((await client.next()).type, "next");
});

Deno.test("one subscription too many is SUBSCRIPTION_LIMIT, and ending one makes room", async () => {
  await using server = await startLocalServer({ limits: { subscriptionsPerConnection: 2 } });
  await using client = await RawClient.ready(server.webSocketUrl);

  for (const id of ["1", "2", "3"]) client.subscribe(id, LOBBY);
  const refusal = await client.next();
  client.send({ id: "1", type: "complete" });
  client.subscribe("4", LOBBY);
  client.subscribe("5", "{ viewer { userId } }");
  assertEquals([(await client.next()).type, (await client.next()).type], ["next", "complete"]);
  client.subscribe("6", "{ server { subscriptions } }");

  assertEquals([refusal.id, refusal.payload[0].extensions], ["3", { code: "SUBSCRIPTION_LIMIT", limit: 2 }]);
  assertEquals((await client.next()).payload.data.server.subscriptions, 2);
});

Deno.test("a document over the token limit is an error for its id, and the socket lives", async () => {
  await using server = await startLocalServer({ limits: { documentTokens: 50 } });
  await using client = await RawClient.ready(server.webSocketUrl);

  client.subscribe("1", `{ ${"a ".repeat(60)} }`);
  client.subscribe("2", "{ viewer { userId } }");

  assertEquals((await client.next()).payload[0].extensions.code, "GRAPHQL_PARSE_FAILED");
  assertEquals((await client.next()).id, "2");
});

Deno.test("a connection above the bound is closed with 1013, and others are not disturbed", async () => {
  await using server = await startLocalServer({ limits: { connections: 1 } });
  await using first = await RawClient.ready(server.webSocketUrl);
  await using second = await RawClient.connect(server.webSocketUrl);

  assertEquals(await second.closed, { code: 1013, reason: "too many connections" });
  first.subscribe("1", "{ server { connections } }");
  assertEquals((await first.next()).type, "next");
});

Deno.test("G9 complete and subscribe of one id in one chunk leave nothing behind when the socket closes", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(upgradeRequest("13"));
  await readUntil(connection, /\r\n\r\n/);
  await connection.write(clientFrame(JSON.stringify(INIT)));
  await readUntil(connection, /connection_ack/);
  const begin = clientFrame(JSON.stringify(subscribe("1", LOBBY)));
  const end = clientFrame(JSON.stringify({ id: "1", type: "complete" }));

  await connection.write(begin);
  for (let round = 0; round < 200; round++) await connection.write(new Uint8Array([...end, ...begin]));
  const query = clientFrame(JSON.stringify(subscribe("2", "{ server { subscriptions } }")));
  const fence = clientFrame(JSON.stringify(subscribe("3", "{ viewer { userId } }")));
  await connection.write(fence);
  await readUntil(connection, /"userId"/);
  await connection.write(query);
  const answer = await readUntil(connection, /"subscriptions":(\d+)/);

  assertEquals(answer[1], "1");
  connection.close();
  while (!server.telemetry.events.includes("connection.closed")) await new Promise((resolve) => setImmediate(resolve));
  const { data } = await server.query("{ server { connections subscriptions rooms } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0, rooms: 0 });
});

Deno.test("subscribe, complete, subscribe, complete of one id in one chunk leak nothing", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(upgradeRequest("13"));
  await readUntil(connection, /\r\n\r\n/);
  await connection.write(clientFrame(JSON.stringify(INIT)));
  await readUntil(connection, /connection_ack/);
  const begin = clientFrame(JSON.stringify(subscribe("1", LOBBY)));
  const end = clientFrame(JSON.stringify({ id: "1", type: "complete" }));

  await connection.write(new Uint8Array([...begin, ...end, ...begin, ...end]));
  connection.close();
  while (!server.telemetry.events.includes("connection.closed")) await new Promise((resolve) => setImmediate(resolve));

  const { data } = await server.query("{ server { connections subscriptions rooms } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0, rooms: 0 });
});

Deno.test("G4 a reader that stops reading is ended, and the others lose nothing", async () => {
  await using server = await startLocalServer({ limits: { outboxBytes: 100_000 } });
  await using slow = await RawClient.ready(server.webSocketUrl);
  await using healthy = await RawClient.ready(server.webSocketUrl);
  for (const client of [slow, healthy]) {
    client.subscribe("1", LOBBY);
    client.subscribe("2", "{ viewer { userId } }");
    assertEquals((await client.next()).id, "2");
    assertEquals((await client.next()).type, "complete");
  }
  slow.stall();
  const content = "x".repeat(60_000);

  let sent = 0;
  while (!server.telemetry.records.some(({ fields }) => fields.reason === "slow reader")) {
    await server.query(SEND, { room: "lobby", content: `${sent++}${content}` });
    assertEquals((await healthy.next()).payload.data.messages.content.slice(0, 8), `${sent - 1}${content}`.slice(0, 8));
    assert(sent < 2_000, "The slow reader was never ended");
  }

  const { data } = await server.query("{ server { connections subscriptions } }");
  assertEquals(data.server, { connections: 1, subscriptions: 1 });
});

Deno.test("a peer that does not answer the close is cut off within its grace", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(upgradeRequest("13"));
  await readUntil(connection, /\r\n\r\n/);
  await connection.write(clientFrame("not json"));

  // Resolves when the server has ended the TCP connection: the frame is there, the answer never was.
  await new Response(connection.readable).arrayBuffer();

  assertEquals(server.telemetry.events.filter((event) => event === "connection.closed").length, 1);
});

Deno.test("a mutation under way when its socket closes disturbs nobody", async () => {
  await using server = await startLocalServer();
  await using watcher = await RawClient.ready(server.webSocketUrl);
  watcher.subscribe("1", MESSAGES, { room: "lobby" });
  const sender = await RawClient.ready(server.webSocketUrl);

  sender.subscribe("1", SEND, { room: "lobby", content: "last words" });
  await sender[Symbol.asyncDispose]();
  await server.query(SEND, { room: "lobby", content: "after" });

  const seen = [(await watcher.next()).payload.data.messages.content];
  if (seen[0] === "last words") seen.push((await watcher.next()).payload.data.messages.content);
  assertEquals(seen.at(-1), "after");
  assertEquals(server.telemetry.records.filter(({ level }) => level === "error"), []);
});

function upgradeRequest(version: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode([
    "GET /graphql HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Version: ${version}`,
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: graphql-transport-ws",
    "\r\n",
  ].join("\r\n"));
}

/** Reads until what came matches. */
async function readUntil(connection: Deno.Conn, pattern: RegExp): Promise<RegExpExecArray> {
  const chunk = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const match = pattern.exec(text);
    if (match !== null) return match;
    const length = await connection.read(chunk);
    if (length === null) throw new Error(`Cannot find ${pattern} in ${JSON.stringify(text)}`);
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
}

const LONG_REASONS = {
  "a claimed user id of emoji": {
    type: "connection_init",
    payload: { userId: `server${"a".repeat(2)}${"😀".repeat(60)}` },
  },
  "a reserved id of two-byte letters": { type: "connection_init", payload: { userId: `guest-${"é".repeat(110)}` } },
};

for (const [what, init] of Object.entries(LONG_REASONS)) {
  Deno.test(`G9 a close reason is cut between characters: ${what}`, async () => {
    await using server = await startLocalServer();
    await using client = await RawClient.connect(server.webSocketUrl);

    client.send(init);

    const { code, reason } = await client.closed;
    assertEquals([code, reason.includes("\ufffd")], [4401, false]);
  });
}

Deno.test("a connection_init over the bound is refused behind a ping too", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.connect(server.webSocketUrl);

  client.send({ type: "ping" });
  client.send({ type: "connection_init", payload: { pad: "x".repeat(33_000) } });

  assertEquals((await client.closed).code, 1009);
});

for (const userId of [["alice"], true, { toString: 1 }, 7]) {
  Deno.test(`a user id of ${JSON.stringify(userId)} is no user's`, async () => {
    await using server = await startLocalServer();
    await using client = await RawClient.connect(server.webSocketUrl);

    client.send({ type: "connection_init", payload: { userId } });

    const { code, reason } = await client.closed;
    assertEquals(code, 4400);
    assertMatch(reason, /must be a string/);
  });
}

Deno.test("an answer that alone would fill the outbox is an error for its id, and its fast reader stays", async () => {
  await using server = await startLocalServer({ limits: { outboxBytes: 100_000 } });
  await using client = await RawClient.ready(server.webSocketUrl);
  for (let sent = 0; sent < 4; sent++) await server.query(SEND, { room: "lobby", content: "x".repeat(20_000) });

  client.subscribe("1", `{ room(room: "lobby") { messages { nodes { content } } } }`);
  const refusal = await client.next();
  client.subscribe("2", `{ room(room: "lobby") { messages(last: 1) { nodes { content } } } }`);

  assertEquals([refusal.type, refusal.payload[0].extensions], ["error", { code: "PAYLOAD_TOO_LARGE", limit: 50_000 }]);
  assertEquals((await client.next()).payload.data.room.messages.nodes[0].content.length, 20_000);
});

/** A server whose authorization of the room "slow" waits for the test. */
async function startSlowServer() {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = await startLocalServer({
    auth: {
      authorize: async (_principal, action) => {
        if (!("room" in action) || !action.room?.startsWith("slow")) return true;
        asked.resolve();
        await gate.promise;
        return action.room !== "slow and forbidden";
      },
    },
  });
  return { server, asked: asked.promise, open: gate.resolve };
}

for (const room of ["slow", "slow and forbidden"]) {
  Deno.test(`subscribe, complete and subscribe of one id: the first one's late outcome (${room}) is nobody's`, async () => {
    const { server, asked, open } = await startSlowServer();
    await using _server = server;
    await using client = await RawClient.ready(server.webSocketUrl);
    client.subscribe("1", `subscription { messages(room: "${room}") { content } }`);
    await asked;

    client.send({ id: "1", type: "complete" });
    client.subscribe("1", LOBBY);
    client.subscribe("2", "{ viewer { userId } }");
    assertEquals([(await client.next()).id, (await client.next()).type], ["2", "complete"]);
    open();
    await server.query(SEND, { room: "lobby", content: "for the second" });
    const event = await client.next();
    client.send({ id: "1", type: "complete" });
    client.subscribe("3", "{ server { subscriptions } }");

    assertEquals([event.type, event.payload.data.messages.content], ["next", "for the second"]);
    assertEquals((await client.next()).payload.data.server.subscriptions, 0);
  });
}

Deno.test("a query's id is free once its client has completed it, and its late answer is nobody's", async () => {
  const { server, asked, open } = await startSlowServer();
  await using _server = server;
  await using client = await RawClient.ready(server.webSocketUrl);
  client.subscribe("1", `{ room(room: "slow") { id } }`);
  await asked;

  client.send({ id: "1", type: "complete" });
  client.subscribe("1", "{ viewer { scopes } }");
  const answer = await client.next();
  await client.next();
  open();
  client.subscribe("2", "{ viewer { userId } }");

  assertEquals(Object.keys(answer.payload.data), ["viewer"]);
  assertEquals((await client.next()).id, "2");
});

Deno.test("x-session-id in an operation's extensions.headers names the session of that operation alone", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl, { userId: "ann", sessionId: "socket" });
  for (const [id, extensions] of [["page's", { headers: { "x-session-id": "page" } }], ["socket's", {}]] as const) {
    client.send({ id, type: "subscribe", payload: { query: LOBBY, extensions } });
  }
  client.subscribe("fence", "{ viewer { sessionId } }");
  assertEquals((await client.next()).payload.data.viewer.sessionId, "socket");
  await client.next();

  await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": "ann", "x-session-id": "page" },
    body: JSON.stringify({ query: SEND, variables: { room: "lobby", content: "not to the page", excludeSelf: true } }),
  }).then((response) => response.body?.cancel());

  assertEquals((await client.next()).id, "socket's");
});

Deno.test("G4 a reader that asks for much at once gets all of it, and is not taken for a slow one", async () => {
  await using server = await startLocalServer({ limits: { outboxBytes: 200_000 } });
  await using client = await RawClient.ready(server.webSocketUrl);
  for (let sent = 0; sent < 4; sent++) await server.query(SEND, { room: "lobby", content: "x".repeat(20_000) });

  for (let id = 0; id < 100; id++) {
    client.subscribe(String(id), `{ room(room: "lobby") { messages { nodes { content } } } }`);
  }
  const answered = new Set<string>();
  while (answered.size < 100) {
    const { id, type } = await client.next();
    if (type === "next") answered.add(id);
  }

  client.subscribe("last", "{ server { connections } }");
  for (let message = await client.next(); message.id !== "last"; message = await client.next());
  assertEquals(server.telemetry.records.filter(({ fields }) => fields.reason === "slow reader"), []);
});

Deno.test("a refused upgrade ends its TCP connection, whatever its peer does", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });

  await connection.write(upgradeRequest("8"));
  await readUntil(connection, /426/);
  // The peer does not close. Writing to a connection that is gone fails sooner or later.
  await assertRejects(async () => {
    for (;;) {
      await connection.write(new Uint8Array(1_024));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
