import { assertEquals } from "@std/assert";
import { FencedClient } from "../support/fenced_client.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

const UPGRADES = 200;
const INIT_TIMEOUT_MS = 3_000;
const CLOSE_GRACE_MS = 1_000;

Deno.test(`upgrade flood: ${UPGRADES} sockets without a connection_init are told 4408 after 3 s, and cut a second later where nobody reads`, async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({}, clock);
  await using witness = await FencedClient.open(server.webSocketUrl, { init: {}, answers: true, onMessage() {} });
  const sockets = await Promise.all(Array.from({ length: UPGRADES }, () => RawSocket.connect(server.port)));
  await Promise.all(sockets.map(async (socket) => {
    await socket.send(UPGRADE);
    await socket.until(/101 Switching/);
  }));
  const stalled = sockets.filter((_socket, index) => index % 2 === 0);
  const reading = sockets.filter((_socket, index) => index % 2 === 1);
  for (const socket of stalled) socket.stall();

  clock.advance(INIT_TIMEOUT_MS - 1);
  await witness.fence();
  const before = server.telemetry.events.filter((event) => event === "connection.closed").length;
  clock.advance(1);
  await Promise.all(reading.map((socket) => socket.until(/Connection initialisation timeout/)));
  clock.advance(CLOSE_GRACE_MS);
  await server.telemetry.until("connection.closed", UPGRADES);

  const closed = server.telemetry.records.filter(({ event }) => event === "connection.closed");
  assertEquals([before, closed.length], [0, UPGRADES]);
  assertEquals(new Set(closed.map(({ fields }) => fields.code)), new Set([4408]));
  assertEquals((await witness.run("{ server { connections } }")).server.connections, 1);
  for (const socket of stalled) socket.resume();
  await Promise.all(sockets.map((socket) => socket.closed));
});

Deno.test("upgrade flood: a quarter of an address's connections may be without a connection_init, and others come in", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ limits: { connectionsPerAddress: 20 } }, clock);
  const mute = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(server.webSocketUrl)));

  await using refused = await RawClient.connect(server.webSocketUrl);
  await using elsewhere = await RawClient.ready(server.webSocketUrl, {}, { localAddress: "127.0.0.2" });
  assertEquals(await refused.closed, { code: 1013, reason: "too many connections from this address" });
  elsewhere.subscribe("v", "{ viewer { userId } }");
  assertEquals((await elsewhere.next()).type, "next");

  mute[0]!.send({ type: "connection_init" });
  await mute[0]!.next();
  await mute[1]!.close();
  await server.telemetry.until("connection.closed", 2);
  const late = [await RawClient.ready(server.webSocketUrl), await RawClient.ready(server.webSocketUrl)];
  clock.advance(INIT_TIMEOUT_MS);
  assertEquals((await mute[2]!.closed).code, 4408);
  for (const client of [...mute, ...late]) await client[Symbol.asyncDispose]();
});
