import { assert, assertEquals, assertMatch } from "@std/assert";
import { createRooms } from "../../src/create_rooms.ts";
import type { ConnectionInfo } from "../../src/options.ts";
import { BROADCAST, EVENTS, JOIN, LEAVE, MESSAGES, SEND } from "../support/documents.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";

// One test for each line of the table "the gateway they have | here".

Deno.test("gateway table: connect over WebSocket and HTTP, with CORS for allowed origins and credentials", async () => {
  await using server = await ServerProcess.start("--allowed-origins", "https://app.example");
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await ann.settled();

  const allowed = await server.post("{ viewer { userId } }", {}, { origin: "https://app.example" });
  const refused = await server.post("{ viewer { userId } }", {}, { origin: "https://evil.example" });

  assertEquals(allowed.headers.get("access-control-allow-origin"), "https://app.example");
  assertEquals(allowed.headers.get("access-control-allow-credentials"), "true");
  assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [403, null]);
});

Deno.test("gateway table: join answers success and room, and others get user and room", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const others = bob.subscribe(EVENTS, { room: "lobby" });
  await bob.settled();

  const { data } = await ann.run(JOIN, { room: "lobby" });

  assertEquals([data.joinRoom.success, data.joinRoom.room], [true, "lobby"]);
  const { type, userId, room } = await others.nextField();
  assertEquals([type, userId, room], ["JOINED", "ann", "lobby"]);
});

Deno.test("gateway table: leave answers success, and others get that the user left", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  await ann.run(JOIN, { room: "lobby" });
  const others = bob.subscribe(EVENTS, { room: "lobby" });
  await bob.settled();

  const { data } = await ann.run(LEAVE, { room: "lobby" });

  assertEquals(data.leaveRoom.success, true);
  const { type, userId } = await others.nextField();
  assertEquals([type, userId], ["LEFT", "ann"]);
});

Deno.test("gateway table: a message to a room gives everyone in it senderId, content and timestamp", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const received = ann.subscribe(MESSAGES, { room: "lobby" });
  await ann.settled();

  await ann.run(SEND, { room: "lobby", content: "hello" });

  const { senderId, content, timestamp } = await received.nextField();
  assertEquals([senderId, content], ["ann", "hello"]);
  assertMatch(timestamp, /Z$/);
});

Deno.test("gateway table: a message without a room reaches everyone but the sender", async () => {
  await using server = await ServerProcess.start();
  await using ann = StockClient.as("ann", server.webSocketUrl);
  await using bob = StockClient.as("bob", server.webSocketUrl);
  const own = ann.subscribe(MESSAGES, { room: "lobby" });
  const others = bob.subscribe(MESSAGES, { room: "attic" });
  await Promise.all([ann.settled(), bob.settled()]);

  await ann.run(BROADCAST, { content: "from ann", excludeSelf: true });
  await ann.run(BROADCAST, { content: "to all" });

  assertEquals((await others.nextField()).content, "from ann");
  assertEquals((await own.nextField()).content, "to all");
});

Deno.test("gateway table: another service broadcasts to a room and to all, over HTTP and in process", async () => {
  const server = createRooms({ server: { port: 0 } });
  const { url } = await server.listen();
  try {
    await using ann = StockClient.as("ann", url.replace("http", "ws"));
    const received = ann.subscribe(MESSAGES, { room: "lobby" });
    await ann.settled();

    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-user-id": "billing" },
      body: JSON.stringify({ query: BROADCAST, variables: { room: "lobby", event: "paid", data: 1 } }),
    });
    await response.json();
    await server.broadcastToRoom("lobby", "moved", { to: "attic" });
    await server.broadcastToAll("restart");

    const seen = [];
    while (seen.length < 3) {
      const { senderId, room, event, data } = await received.nextField();
      seen.push([senderId, room, event, data]);
    }
    assertEquals(seen, [
      ["billing", "lobby", "paid", 1],
      ["server", "lobby", "moved", { to: "attic" }],
      ["server", null, "restart", null],
    ]);
  } finally {
    await server.stop();
  }
});

Deno.test("gateway table: onConnect and onDisconnect are called once each, and memberships end with the session", async () => {
  const calls: [string, ConnectionInfo][] = [];
  const disconnected = Promise.withResolvers<void>();
  const server = createRooms({
    server: { port: 0 },
    presence: { leaveGraceMs: 0 },
    onConnect: (info) => calls.push(["connect", info]),
    onDisconnect: (info) => {
      calls.push(["disconnect", info]);
      if (info.userId === "ann") disconnected.resolve();
    },
  });
  const { url } = await server.listen();
  try {
    await using bob = StockClient.as("bob", url.replace("http", "ws"));
    const events = bob.subscribe(EVENTS, { room: "lobby" });
    await bob.settled();
    {
      await using ann = StockClient.as("ann", url.replace("http", "ws"), { sessionId: "tab" });
      await ann.run(JOIN, { room: "lobby" });
    }
    await disconnected.promise;

    const ofAnn = calls.filter(([, { userId }]) => userId === "ann");
    assertEquals(ofAnn.map(([hook, { sessionId }]) => [hook, sessionId]), [["connect", "tab"], ["disconnect", "tab"]]);
    assert(ofAnn[0]![1].connectionId === ofAnn[1]![1].connectionId);
    assertEquals([(await events.nextField()).type, (await events.nextField()).type], ["JOINED", "LEFT"]);
  } finally {
    await server.stop();
  }
});
