import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { BROADCAST, EVENTS, EVENTS_IN_FULL, JOIN, LEAVE, MESSAGES, SEND } from "../support/documents.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";

Deno.test("sendMessage reaches every subscriber of the room, with who, what and when", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const received = [ann, bob].map((client) => client.subscribe(MESSAGES, { room: "lobby" }));
  await Promise.all([ann.settled(), bob.settled()]);

  const { data } = await ann.run(SEND, { room: "lobby", content: "hello" });

  const sent = data.sendMessage;
  assertEquals([sent.success, sent.duplicate, sent.room], [true, false, "lobby"]);
  for (const one of received) {
    const message = await one.nextField();
    assertEquals([message.id, message.senderId, message.content], [sent.message.id, "ann", "hello"]);
    assertEquals([message.room, message.event, message.data], ["lobby", null, null]);
    assertMatch(message.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
});

Deno.test("every next frame says in extensions.cursor where it brought its reader", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const received = ann.subscribe(`subscription { messages(room: "lobby") { cursor } }`);
  await ann.settled();

  await ann.run(SEND, { room: "lobby", content: "one" });
  await ann.run(SEND, { room: "lobby", content: "two" });

  const [first, second] = [await received.next(), await received.next()];
  assertEquals(first.extensions.cursor, first.data.messages.cursor);
  assertNotEquals(first.extensions.cursor, second.extensions.cursor);
});

Deno.test("G1 two clients in many rooms see each room's messages in one order, and no other room's", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const rooms = Array.from({ length: 20 }, (_, index) => `room ${index}`);
  const followed = rooms.map((room) => [ann, bob].map((client) => client.subscribe(MESSAGES, { room })));
  await Promise.all([ann.settled(), bob.settled()]);

  await Promise.all(
    rooms.flatMap((room) =>
      Array.from(
        { length: 10 },
        (_, index) => (index % 2 === 0 ? ann : bob).run(SEND, { room, content: `${room}/${index}` }),
      )
    ),
  );

  for (const [index, [first, second]] of followed.entries()) {
    const seen = await Promise.all([first!, second!].map(async (received) => {
      const contents: string[] = [];
      while (contents.length < 10) contents.push((await received.nextField()).content);
      return contents;
    }));
    assertEquals(seen[0], seen[1]);
    assertEquals(new Set(seen[0]), new Set(Array.from({ length: 10 }, (_, n) => `${rooms[index]}/${n}`)));
  }
});

Deno.test("broadcast to a room carries event and data to that room alone", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const lobby = ann.subscribe(MESSAGES, { room: "lobby" });
  const attic = ann.subscribe(MESSAGES, { room: "attic" });
  await ann.settled();

  const { body } = await server.post(BROADCAST, { room: "lobby", event: "deploy", data: { version: [1, "é"] } });
  await ann.run(SEND, { room: "attic", content: "next" });

  assertEquals([body.data.broadcast.success, body.data.broadcast.room], [true, "lobby"]);
  const message = await lobby.nextField();
  assertEquals([message.event, message.data, message.content], ["deploy", { version: [1, "é"] }, ""]);
  assertEquals((await attic.nextField()).content, "next");
});

Deno.test("broadcast without a room reaches every room's subscribers and those of no room", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const followed = [{ room: "lobby" }, { room: "attic" }, {}].map((room) => ann.subscribe(MESSAGES, room));
  await ann.settled();

  const { body } = await server.post(BROADCAST, { content: "all of you" });

  assertEquals(body.data.broadcast.room, null);
  for (const received of followed) {
    const message = await received.nextField();
    assertEquals([message.room, message.content], [null, "all of you"]);
  }
});

Deno.test("messages(event:) brings only messages with that event name", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const deploys = ann.subscribe(`subscription { messages(room: "lobby", event: "deploy") { content } }`);
  await ann.settled();

  await ann.run(SEND, { room: "lobby", content: "plain" });
  await ann.run(BROADCAST, { room: "lobby", event: "alarm", content: "other" });
  await ann.run(BROADCAST, { room: "lobby", event: "deploy", content: "wanted" });

  assertEquals((await deploys.nextField()).content, "wanted");
});

Deno.test("excludeSelf keeps a message from the sending session, not from the user's other session", async () => {
  await using server = await ServerProcess.start();
  await using tab = StockClient.as("ann", server.webSocketUrl);
  await using otherTab = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const clients = [tab, otherTab, bob];
  const [own, other, bobs] = clients.map((client) => client.subscribe(MESSAGES, { room: "lobby" }));
  await Promise.all(clients.map((client) => client.settled()));

  await tab.run(SEND, { room: "lobby", content: "not to me", excludeSelf: true });
  await tab.run(SEND, { room: "lobby", content: "to all" });

  assertEquals((await own!.nextField()).content, "to all");
  for (const received of [other!, bobs!]) assertEquals((await received.nextField()).content, "not to me");
});

Deno.test("excludeSelf over HTTP excludes the session that x-session-id names", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl, { sessionId: "tab-1" });
  const received = ann.subscribe(MESSAGES, { room: "lobby" });
  await ann.settled();
  const variables = { room: "lobby", content: "quiet", excludeSelf: true };

  await server.post(SEND, variables, { "x-user-id": "ann", "x-session-id": "tab-1" });
  const unnamed = await server.post(SEND, variables, { "x-user-id": "ann" });
  await server.post(SEND, { ...variables, content: "by another" }, { "x-user-id": "eve", "x-session-id": "tab-1" });

  assertEquals(unnamed.body.errors[0].extensions.code, "BAD_USER_INPUT");
  assertMatch(unnamed.body.errors[0].message, /x-session-id/);
  assertEquals((await received.nextField()).content, "by another");
});

Deno.test("G6 the same idempotency key is one message, and answers with the first", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const received = ann.subscribe(MESSAGES, { room: "lobby" });
  await ann.settled();
  const variables = { room: "lobby", content: "once", key: "k-1" };

  const first = await ann.run(SEND, variables);
  const second = await ann.run(SEND, variables);
  const other = await ann.run(SEND, { ...variables, content: "another" });
  await ann.run(SEND, { room: "lobby", content: "after" });

  assertEquals(second.data.sendMessage.message, first.data.sendMessage.message);
  assertEquals([first, second].map(({ data }) => data.sendMessage.duplicate), [false, true]);
  assertEquals(other.errors?.[0]?.extensions?.code, "IDEMPOTENCY_KEY_REUSED");
  assertEquals([(await received.nextField()).content, (await received.nextField()).content], ["once", "after"]);
});

Deno.test("joinRoom and leaveRoom are told to the room, each with its user", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const events = bob.subscribe(EVENTS_IN_FULL, { room: "lobby" });
  await bob.settled();

  const joined = await ann.run(JOIN, { room: "lobby" });
  const left = await ann.run(LEAVE, { room: "lobby" });
  const again = await ann.run(LEAVE, { room: "lobby" });

  assertEquals([joined.data.joinRoom.success, joined.data.joinRoom.member.userId], [true, "ann"]);
  assertEquals([left.data.leaveRoom.success, again.data.leaveRoom.success], [true, false]);
  const arrival = await events.nextField();
  assertEquals([arrival.type, arrival.userId, arrival.member.sessionCount], ["JOINED", "ann", 1]);
  const departure = await events.nextField();
  assertEquals([departure.type, departure.userId, departure.reason], ["LEFT", "ann", "LEFT"]);
});

Deno.test("G7 JOINED and LEFT come once per user, however many tabs", async () => {
  await using server = await ServerProcess.start();
  await using tab = StockClient.as("ann", server.webSocketUrl);
  await using otherTab = StockClient.as("ann", server.webSocketUrl);
  const events = tab.subscribe(EVENTS, { room: "lobby" });
  await tab.settled();

  await tab.run(JOIN, { room: "lobby" });
  const second = await otherTab.run(JOIN, { room: "lobby" });
  await tab.run(LEAVE, { room: "lobby" });
  await otherTab.run(LEAVE, { room: "lobby" });
  await tab.run(JOIN, { room: "lobby" });

  assertEquals(second.data.joinRoom.member.sessionCount, 2);
  const types = [];
  while (types.length < 3) types.push((await events.nextField()).type);
  assertEquals(types, ["JOINED", "LEFT", "JOINED"]);
});

Deno.test("a user whose connection closes leaves after the grace, and not when another tab stays", async () => {
  await using server = await ServerProcess.start("--leave-grace-seconds", "0.05");
  await using watcher = StockClient.as("bob", server.webSocketUrl);
  const events = watcher.subscribe(EVENTS_IN_FULL, { room: "lobby" });
  await watcher.settled();
  await using tab = StockClient.as("ann", server.webSocketUrl);
  {
    await using gone = StockClient.as("ann", server.webSocketUrl);
    await using carl = StockClient.as("carl", server.webSocketUrl);
    for (const client of [tab, gone, carl]) await client.run(JOIN, { room: "lobby" });
  }

  const seen = [];
  while (seen.length < 3) {
    const { type, userId, reason } = await events.nextField();
    seen.push([type, userId, reason]);
  }

  assertEquals(seen, [["JOINED", "ann", undefined], ["JOINED", "carl", undefined], ["LEFT", "carl", "DISCONNECTED"]]);
  const { body } = await server.post(`{ room(room: "lobby") { memberCount members { nodes { userId } } } }`);
  assertEquals(body.data.room, { memberCount: 1, members: { nodes: [{ userId: "ann" }] } });
});

Deno.test("a session that comes back within the grace joins again without an event", async () => {
  await using server = await ServerProcess.start("--leave-grace-seconds", "60");
  await using watcher = StockClient.as("bob", server.webSocketUrl);
  const events = watcher.subscribe(EVENTS, { room: "lobby" });
  await watcher.settled();
  {
    await using ann = StockClient.as("ann", server.webSocketUrl, { sessionId: "s-1" });
    await ann.run(JOIN, { room: "lobby" });
  }
  await server.logged("connection.closed", ({ fields }) => fields.userId === "ann");
  await using ann = StockClient.as("ann", server.webSocketUrl, { sessionId: "s-1" });
  await ann.run(JOIN, { room: "lobby" });
  await ann.run(LEAVE, { room: "lobby" });

  assertEquals([(await events.nextField()).type, (await events.nextField()).type], ["JOINED", "LEFT"]);
});

Deno.test("a wrong document, wrong variables and an unknown field leave the socket and its subscriptions alive", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const received = ann.subscribe(MESSAGES, { room: "lobby" });
  await ann.settled();

  const wrong = [
    ["subscription { messages(", {}, "GRAPHQL_PARSE_FAILED"],
    ["{ nobody { knows } }", {}, "GRAPHQL_VALIDATION_FAILED"],
    ["subscription { messages(room: 1) { nope } }", {}, "GRAPHQL_VALIDATION_FAILED"],
    [MESSAGES, { room: { not: "an id" } }, "BAD_USER_INPUT"],
    [MESSAGES, { room: " outer space " }, "BAD_USER_INPUT"],
    ["query A { viewer { id } } query B { viewer { id } }", {}, "BAD_USER_INPUT"],
  ] as const;
  for (const [query, variables, code] of wrong) {
    const [error] = await ann.subscribe(query, variables).failure();
    assertEquals(error.extensions.code, code, query);
  }
  await ann.run(SEND, { room: "lobby", content: "still here" });

  assertEquals((await received.nextField()).content, "still here");
});

Deno.test("completing one subscription ends it alone", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const [stays, goes] = [1, 2].map(() => ann.subscribe(MESSAGES, { room: "lobby" }));
  await ann.settled();

  goes!.stop();
  await ann.settled();
  await ann.run(SEND, { room: "lobby", content: "one left" });

  assertEquals((await stays!.nextField()).content, "one left");
  assertEquals(goes!.results, []);
  const { body } = await server.post("{ server { connections subscriptions rooms engine } }");
  assertEquals(body.data.server, { connections: 1, subscriptions: 1, rooms: 1, engine: "memory" });
});

Deno.test("the acknowledgement names user and session, and a cookie keeps a guest's name", async () => {
  await using server = await ServerProcess.start();
  await using named = StockClient.as("ann", server.webSocketUrl, { sessionId: "tab-7" });
  await using guest = new StockClient(server.webSocketUrl, { lazy: false });

  assertEquals(await named.acknowledged, { userId: "ann", sessionId: "tab-7" });
  assertMatch(String((await guest.acknowledged).userId), /^guest-[0-9a-f]{24}$/);
  const first = await server.post("{ viewer { userId } }");
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  const second = await server.post("{ viewer { userId } }", {}, { cookie });
  assertEquals(second.body.data, first.body.data);
  assertEquals(second.headers.get("set-cookie"), null);
});

Deno.test("a reserved user id is refused: 4401 over WebSocket, 401 over HTTP", async () => {
  await using server = await ServerProcess.start();
  await using eve = StockClient.as("server", server.webSocketUrl);

  const { code, reason } = await eve.closed;
  const answer = await server.post("{ viewer { userId } }", {}, { "x-user-id": "guest-1" });

  assertEquals(code, 4401);
  assertMatch(reason, /reserved/);
  assertEquals([answer.status, answer.body.errors[0].extensions.code], [401, "UNAUTHENTICATED"]);
});

Deno.test("connect and disconnect are logged once each, with who and why", async () => {
  await using server = await ServerProcess.start();
  let connectionId: unknown;
  {
    await using ann = StockClient.as("ann", server.webSocketUrl);
    await ann.settled();
    const opened = await server.logged("connection.opened");
    assertEquals(opened.fields.userId, "ann");
    connectionId = opened.fields.connectionId;
  }

  const closed = await server.logged("connection.closed");

  assertEquals([closed.fields.connectionId, closed.fields.userId, closed.fields.code], [connectionId, "ann", 1000]);
  assert(typeof closed.fields.durationMs === "number");
});

Deno.test("a stop says 1012 to every client and exits with 0", async () => {
  await using server = await ServerProcess.start();
  // Retries would find nobody: the server is gone for good.
  const clients = Array.from({ length: 20 }, () => new StockClient(server.webSocketUrl, { retryAttempts: 0 }));
  for (const client of clients) {
    client.subscribe(MESSAGES, { room: "lobby" });
    await client.settled();
  }

  server.kill("SIGTERM");

  for (const client of clients) assertEquals((await client.closed).code, 1012);
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  assertEquals(await server.ended(), 0);
});
