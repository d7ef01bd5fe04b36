import { Buffer } from "node:buffer";
import { assertEquals, assertLess } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { clientFrameOf, closeFrame, FIN, messageFrame, OPCODES, textFrame } from "../support/client_frame.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { floodIds, reuseId } from "../support/id_floods.ts";
import { INIT, live, query } from "../support/message_cases.ts";
import { troubles } from "../support/outcomes.ts";
import { openProtocolWorld } from "../support/protocol_world.ts";
import { WireClient } from "../support/wire_client.ts";

/** How long a peer that does not go may stay, in milliseconds; a busy machine is late by some. */
const CUT_MS = 1_000;
const LATE_MS = 1_500;

Deno.test("init missing: 4408 after three seconds, and not before", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({}, clock);
  await using client = await WireClient.open(server.port);

  clock.advance(2_999);
  await client.turn();
  const before = client.heard.filter((one) => one.startsWith("close"));
  clock.advance(1);
  await client.ended;

  assertEquals([before, client.heard.at(-1)], [[], "close 4408"]);
  assertEquals(troubles(server), []);
});

for (const end of ["closes", "breaks off"] as const) {
  Deno.test(`init slow handler: a client that ${end} meanwhile is not acknowledged, and nothing is left`, async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const allowed = Promise.withResolvers<void>();
    await using world = await openProtocolWorld({
      clock,
      async authenticate() {
        asked.resolve();
        await allowed.promise;
        return { userId: "ann", scopes: new Set(), expiresAtMs: null };
      },
    });
    const idle = clock.pending;
    const client = await WireClient.open(world.port);
    client.write(messageFrame(INIT));
    await asked.promise;

    if (end === "closes") client.write(clientFrameOf(FIN | OPCODES.close));
    else await client[Symbol.asyncDispose]();
    await client.ended;
    await world.telemetry.until("connection.closed", 1);
    allowed.resolve();
    await eventLoopTurn();

    assertEquals([client.heard.includes("ack"), world.acknowledged.length, world.size()], [false, 0, 0]);
    assertEquals(clock.pending, idle);
  });
}

Deno.test("init slow handler: a second connection_init closes with 4429, and the first is not acknowledged any more", async () => {
  const allowed = Promise.withResolvers<void>();
  await using world = await openProtocolWorld({
    async authenticate() {
      await allowed.promise;
      return { userId: "ann", scopes: new Set(), expiresAtMs: null };
    },
  });
  await using client = await WireClient.open(world.port);

  client.write(messageFrame(INIT), messageFrame(INIT));
  await client.until(() => client.heard.includes("close 4429"));
  allowed.resolve();
  await client.ended;

  assertEquals([client.heard, world.acknowledged.length], [["close 4429"], 0]);
});

const FAILURES = {
  "an error of its own": [new TypeError("secret of the key store"), 4500, "Internal server error"],
  "a rejection that is no error": ["secret", 4500, "Internal server error"],
  "a refusal": [new RealtimeError("UNAUTHENTICATED", "Cannot come in: no token"), 4401, "Cannot come in: no token"],
  "a refusal for now": [
    new RealtimeError("ENGINE_UNAVAILABLE", "Cannot tell who you are"),
    1013,
    "Cannot tell who you are",
  ],
} as const;

for (const [what, [error, code, reason]] of Object.entries(FAILURES)) {
  Deno.test(`onConnect throws ${what}: ${code}, "${reason}", and all is freed`, async () => {
    const clock = new ManualClock();
    await using world = await openProtocolWorld({ clock, authenticate: () => Promise.reject(error) });
    const idle = clock.pending;
    await using client = await WireClient.open(world.port);

    client.write(messageFrame(INIT));
    await client.ended;
    await world.telemetry.until("connection.closed", 1);

    const closed = world.telemetry.records.filter(({ event }) => event === "connection.closed");
    assertEquals(closed.map(({ fields }) => [fields.code, fields.reason]), [[code, reason]]);
    assertEquals([client.heard, world.size(), clock.pending], [[`close ${code}`], 0, idle]);
  });
}

Deno.test("onConnect of the program throws: it is logged, and its client is served", async () => {
  await using server = await startLocalServer({
    onConnect() {
      throw new Error("of the program");
    },
  });
  await using client = await WireClient.ready(server.port);

  assertEquals(await client.outcome(), ["lives"]);
  assertEquals(server.telemetry.events.filter((event) => event === "hook.failed").length, 1);
});

Deno.test("2,000 ids: 100 subscriptions live, the others are refused one by one, and the socket lives", async () => {
  await floodIds(2_000);
});

Deno.test("1,000 queries at once and 100 more: those are refused, the others answered, and the socket lives", async () => {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);

  await client.write(Buffer.concat(Array.from({ length: 1_100 }, (_, at) => messageFrame(query(`${at}`)))));

  const outcome = await client.outcome();
  const count = (type: string): number => outcome.filter((one) => one.startsWith(type)).length;
  assertEquals([count("error"), count("next"), count("complete"), outcome.at(-1)], [100, 1_000, 1_000, "lives"]);
});

Deno.test("id reuse after complete: 2,000 pairs of subscribe and complete in one chunk leave nothing", async () => {
  await reuseId(2_000);
});

Deno.test("invalid frames from 100 clients do not touch another's subscription", async () => {
  await using server = await startLocalServer();
  await using other = await WireClient.ready(server.port);
  other.write(messageFrame(live("1")));
  await other.turn();

  const broken = [clientFrameOf(FIN | 3), textFrame("{"), textFrame(Buffer.of(0xff)), clientFrameOf(0x80)];
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      await using client = await WireClient.ready(server.port);
      client.write(broken[at % broken.length]!);
      await client.ended;
    }));
  }
  await server.query(`mutation { sendMessage(room: "lobby", content: "hi") { success } }`);

  assertEquals(await other.outcome(), ["next 1", "lives"]);
  assertEquals(troubles(server), []);
});

const ENDLESS = {
  "endless fragments of 64 bytes": [clientFrameOf(OPCODES.continuation, "x".repeat(64)), 10_000, "close 1008"],
  "endless fragments of 64 KiB": [clientFrameOf(OPCODES.continuation, "x".repeat(65_536)), 100, "close 1009"],
  "500,000 empty fragments": [clientFrameOf(OPCODES.continuation), 500_000, "close 1008"],
} as const;

for (const [what, [frame, count, end]] of Object.entries(ENDLESS)) {
  Deno.test(`${what}: ${end}, and nothing of them is kept`, async () => {
    await using server = await startLocalServer();
    await using client = await WireClient.ready(server.port);
    const before = Deno.memoryUsage().rss;

    const sent = client.write(clientFrameOf(OPCODES.text), Buffer.concat(Array.from({ length: count }, () => frame)));
    await client.ended;
    await sent;

    assertEquals(client.heard, [end]);
    assertLess(Deno.memoryUsage().rss - before, 50_000_000);
  });
}

/** What ends a connection, and the close it gets. */
const ENDS = {
  "an id in use": [[messageFrame(live("1")), messageFrame(live("1"))], "close 4409"],
  "what is no JSON": [[textFrame("{")], "close 4400"],
  "a binary message": [[clientFrameOf(FIN | OPCODES.binary)], "close 4400"],
  "a reserved opcode": [[clientFrameOf(FIN | 3)], "close 1002"],
  "bad UTF-8": [[textFrame(Buffer.of(0xff))], "close 1007"],
  "a frame too large": [[clientFrameOf(FIN | OPCODES.text, "", { length: 300_000 })], "close 1009"],
  "its own goodbye": [[closeFrame(1000)], "close 1000"],
} as const;

Deno.test("peers that ignore our close and keep sending are cut within a second, and nothing of it is done", async () => {
  const rooms = new Set<string>();
  await using server = await startLocalServer({
    auth: {
      authorize(_principal, action) {
        if (action.kind === "read") rooms.add(action.room);
        return true;
      },
    },
  });
  const late = Buffer.concat(Array.from({ length: 100 }, (_, at) => messageFrame(live(`${at}`, "too late"))));

  const heard = await Promise.all(
    Object.entries(ENDS).map(async ([what, [frames, end]]) => {
      await using client = await WireClient.ready(server.port, { ignoresClose: true });
      client.write(messageFrame(live("0")), ...frames);
      await client.until(() => client.heard.includes(end));
      const closedAtMs = performance.now();
      while (!client.isOver) {
        client.write(late);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertLess(performance.now() - closedAtMs, CUT_MS + LATE_MS, what);
      return [what, client.heard];
    }),
  );

  assertEquals(heard, Object.entries(ENDS).map(([what, [, end]]) => [what, [end]]));
  assertEquals([...rooms], ["lobby"]);
  await server.telemetry.until("connection.closed", heard.length);
  const { data } = await server.query("{ server { connections subscriptions } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0 });
  assertEquals(troubles(server), []);
});

Deno.test("what comes behind our close reaches no protocol, not even a pong", async () => {
  const received: unknown[] = [];
  await using world = await openProtocolWorld({
    protocol: {
      opened(socket) {
        socket.onMessage((message) => {
          received.push(message);
          socket.close(4400, "enough");
          return Promise.resolve();
        });
        return () => Promise.resolve();
      },
    },
  });
  await using client = await WireClient.open(world.port, { ignoresClose: true });

  const pong = messageFrame({ type: "pong" });
  client.write(messageFrame({ type: "ping" }));
  await client.until(() => client.heard.includes("close 4400"));
  while (!client.isOver) {
    client.write(Buffer.concat(Array.from({ length: 100 }, () => pong)));
    await eventLoopTurn();
  }

  assertEquals(received, [{ type: "ping" }]);
});

Deno.test("ping flood by messages of a peer that does not read: 1013, and no more than its outbox is kept", async () => {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);
  client.stall();
  const before = Deno.memoryUsage().rss;

  const ping = messageFrame({ type: "ping", payload: { pad: "x".repeat(1_000) } });
  const chunk = Buffer.concat(Array.from({ length: 100 }, () => ping));
  for (let sent = 0; sent < 1_000 && !server.telemetry.events.includes("connection.closed"); sent++) {
    client.write(chunk);
    await eventLoopTurn();
  }
  await server.telemetry.until("connection.closed", 1);

  const closed = server.telemetry.records.filter(({ event }) => event === "connection.closed");
  assertEquals(closed.map(({ fields }) => [fields.code, fields.reason]), [[1013, "slow reader"]]);
  assertLess(Deno.memoryUsage().rss - before, 60_000_000);
});

Deno.test("ping flood by control frames in one chunk: 60 are answered, and the TCP connection is cut", async () => {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);

  client.write(Buffer.concat(Array.from({ length: 1_000 }, (_, at) => clientFrameOf(FIN | OPCODES.ping, `${at}`))));

  const outcome = await client.outcome();
  assertEquals(outcome, [...Array.from({ length: 60 }, (_, at) => `pong frame ${at}`), "cut"]);
});

Deno.test("ping flood by control frames of a peer that does not read: cut off once 60 pongs wait", async () => {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);
  client.stall();
  const before = Deno.memoryUsage().rss;

  const chunk = Buffer.concat(Array.from({ length: 500 }, () => clientFrameOf(FIN | OPCODES.ping, "x".repeat(125))));
  for (let sent = 0; sent < 10_000 && !server.telemetry.events.includes("connection.closed"); sent++) {
    client.write(chunk);
    await eventLoopTurn();
  }
  await server.telemetry.until("connection.closed", 1);

  assertLess(Deno.memoryUsage().rss - before, 60_000_000);
});
