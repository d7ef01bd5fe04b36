import { assertEquals } from "@std/assert";
import { FencedClient } from "../support/fenced_client.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type Direction, TcpProxy } from "../support/tcp_proxy.ts";

const PING_MS = 15_000;
const GRACE_MS = 10_000;
const JOIN = `mutation { joinRoom(room: "lobby") { success } }`;
const JOINING = `subscription { messages(room: "lobby", join: true) { content } }`;
const EVENTS = `subscription { roomEvents(room: "lobby") { type userId ... on UserLeft { reason } } }`;

/** A server, a network in front of it that can fall silent, and somebody who watches the lobby from elsewhere. */
async function open() {
  const clock = new ManualClock();
  const server = await startLocalServer({ server: { pingMs: PING_MS, drainMs: 20_000 } }, clock);
  const proxy = await TcpProxy.start(server.port);
  const heard: string[] = [];
  const watcher = await FencedClient.open(server.webSocketUrl, {
    init: { userId: "watcher" },
    answers: true,
    onMessage({ payload: { data: { roomEvents: { type, userId, reason } } } }) {
      heard.push(reason === undefined ? `${userId} ${type}` : `${userId} ${type} ${reason}`);
    },
  });
  watcher.subscribe("events", EVENTS);
  return {
    proxy,
    /** What the watcher has heard by now. */
    async heard(): Promise<readonly string[]> {
      await watcher.fence();
      return heard;
    },
    /** Ann connects, through the network or past it. */
    connect: (init: Record<string, unknown> = {}, port = proxy.port) =>
      FencedClient.open(`ws://127.0.0.1:${port}/graphql`, {
        init: { userId: "ann", ...init },
        answers: true,
        onMessage() {},
      }),
    port: server.port,
    /** Time passes, a ping and its answers after the other. */
    async pass(ms: number): Promise<void> {
      clock.advance(ms);
      await watcher.fence();
    },
    /** How many WebSockets are open. */
    async connections(): Promise<number> {
      return (await server.query("{ server { connections } }")).data.server.connections;
    },
    closed: () => server.telemetry.until("connection.closed", 1),
    async [Symbol.asyncDispose](): Promise<void> {
      await watcher[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (const directions of ["both", "toServer", "toClient"] satisfies (Direction | "both")[]) {
  Deno.test(`G9 a half-open socket (${directions}) is found by two pings without an answer, and its user leaves with TIMEOUT after the grace`, async () => {
    await using world = await open();
    await using ann = await world.connect();
    await ann.run(JOIN);
    world.proxy.stall(directions);

    await world.pass(PING_MS);
    await world.pass(PING_MS);
    assertEquals([await world.connections(), await world.heard()], [2, ["ann JOINED"]]);
    await world.pass(PING_MS);
    await world.closed();
    await world.pass(GRACE_MS - 1);
    assertEquals([await world.connections(), await world.heard()], [1, ["ann JOINED"]]);
    await world.pass(1);

    assertEquals(await world.heard(), ["ann JOINED", "ann LEFT TIMEOUT"]);
  });
}

Deno.test("G9 a half-open socket's joining subscription ends with TIMEOUT too", async () => {
  await using world = await open();
  await using ann = await world.connect();
  ann.subscribe("joins", JOINING);
  await ann.fence();
  world.proxy.stall();

  for (let pings = 0; pings < 3; pings++) await world.pass(PING_MS);
  await world.closed();
  await world.pass(GRACE_MS);

  assertEquals(await world.heard(), ["ann JOINED", "ann LEFT TIMEOUT"]);
});

Deno.test("a socket that answers after the second ping is kept", async () => {
  await using world = await open();
  await using ann = await world.connect();
  await ann.run(JOIN);
  world.proxy.stall();
  await world.pass(PING_MS);
  await world.pass(PING_MS);

  world.proxy.resume();
  await ann.fence();
  for (let pings = 0; pings < 3; pings++) {
    await world.pass(PING_MS);
    await ann.fence();
  }

  assertEquals([await world.connections(), await world.heard()], [2, ["ann JOINED"]]);
});

Deno.test("G7 a client that is back before its half-open socket is found never leaves", async () => {
  await using world = await open();
  await using ann = await world.connect({ sessionId: "tab" });
  await ann.run(JOIN);
  world.proxy.stall();
  await world.pass(PING_MS);
  await using back = await world.connect({ sessionId: "tab" }, world.port);

  for (let pings = 0; pings < 2; pings++) {
    await world.pass(PING_MS);
    await back.fence();
  }
  await world.closed();
  await world.pass(GRACE_MS);

  assertEquals(await world.heard(), ["ann JOINED"]);
  assertEquals(await back.run(`mutation { leaveRoom(room: "lobby") { success } }`), { leaveRoom: { success: true } });
  assertEquals(await world.heard(), ["ann JOINED", "ann LEFT LEFT"]);
});
