import { assertEquals } from "@std/assert";
import { DEATHS } from "../support/dying_connections.ts";
import { FencedClient } from "../support/fenced_client.ts";
import { HttpStream } from "../support/http_stream.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { requestRaw } from "../support/raw_http.ts";
import { RawSocket } from "../support/raw_socket.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;
const SEND = `mutation { sendMessage(room: "lobby", content: "hi") { success } }`;
const SILENT_MS = 10_000;
/** TCP connections beyond `connections`, as the server has it. */
const MARGIN = 768;
const TOO_MANY = { code: 1013, reason: "too many connections from this address" };

/** Somebody who was there before, reads the lobby and sends to it. */
async function openUser(url: string) {
  const heard: string[] = [];
  const client = await FencedClient.open(url, {
    init: { userId: "ann" },
    answers: true,
    onMessage: ({ type, payload }) => type === "next" && heard.push(payload.data.messages.content),
  });
  client.subscribe("lobby", LOBBY);
  return {
    /** Sends so many messages, and gives back how many came. */
    async exchange(count: number): Promise<number> {
      heard.length = 0;
      for (let sent = 0; sent < count; sent++) await client.run(SEND);
      await client.fence();
      return heard.length;
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Opens silent TCP connections from these addresses in turn, and tells how many of them the server keeps. */
async function openSilent(port: number, count: number, addresses: readonly string[]) {
  let open = count;
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, index) => RawSocket.connect(port, { from: addresses[index % addresses.length] })),
  );
  for (const socket of sockets) void socket.closed.then(() => open--);
  return {
    open: () => open,
    end: () => Promise.all(sockets.map((socket) => socket.end())),
    ended: () => Promise.all(sockets.map((socket) => socket.closed)),
  };
}

Deno.test("connection flood, total: silent connections beyond the bound are cut, the others after 10 s; users notice nothing", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ limits: { connections: 2, connectionsPerAddress: 0 } }, clock);
  await using user = await openUser(server.webSocketUrl);
  const addresses = Array.from({ length: 9 }, (_, index) => `127.0.0.${index + 2}`);

  const flood = await openSilent(server.port, 900, addresses);
  const during = await user.exchange(50);
  // The user's own is one of those that may be open.
  const kept = flood.open();
  clock.advance(SILENT_MS);
  await flood.ended();
  const after = await user.exchange(50);
  await using newcomer = await RawClient.ready(server.webSocketUrl);
  newcomer.subscribe("lobby", LOBBY);

  assertEquals([during, after], [50, 50]);
  assertEquals(kept, 2 + MARGIN - 1);
});

Deno.test("connection flood, per address: one address is cut at twice its connections, and every other is let in", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ limits: { connectionsPerAddress: 10 } }, clock);
  await using user = await openUser(server.webSocketUrl);

  const flood = await openSilent(server.port, 60, ["127.0.0.2"]);
  const during = await user.exchange(20);
  const kept = flood.open();
  const from = (localAddress: string) =>
    requestRaw(server.port, "/health", { localAddress, headers: { host: "localhost" } });
  const refused = await from("127.0.0.2").then(() => "answered", () => "cut");
  const other = await from("127.0.0.3");
  clock.advance(SILENT_MS);
  await flood.ended();
  const again = await from("127.0.0.2");

  assertEquals([during, kept, refused, other.status, again.status], [20, 20, "cut", 200, 200]);
  const notices = server.telemetry.records.filter(({ event }) => event === "limit.reached");
  assertEquals(notices.map(({ fields }) => fields), [{ limit: "connections", network: "127.0.0.2" }]);
});

Deno.test("connection flood, per address: WebSockets beyond the bound are told 1013, streams 429, and places get free", async () => {
  await using server = await startLocalServer({ limits: { connectionsPerAddress: 4 } });
  const sockets: RawClient[] = [];
  // One after the other: of four only one may be without a connection_init.
  for (let user = 0; user < 3; user++) sockets.push(await RawClient.ready(server.webSocketUrl));
  const stream = await HttpStream.subscribe(server.url, LOBBY, { headers: { accept: "text/event-stream" } });
  await stream.read(/:\n\n/);

  await using refused = await RawClient.connect(server.webSocketUrl);
  const refusedStream = await fetch(`${server.url}?query=${encodeURIComponent(LOBBY)}`, {
    headers: { accept: "text/event-stream, application/json" },
  });
  await using elsewhere = await RawClient.ready(server.webSocketUrl, {}, { localAddress: "127.0.0.2" });
  elsewhere.subscribe("lobby", LOBBY);
  const { errors: [{ extensions }] } = await refusedStream.json();

  assertEquals([await refused.closed, refusedStream.status, extensions.code], [TOO_MANY, 429, "RATE_LIMITED"]);
  await sockets[0]!.close();
  await server.telemetry.until("connection.closed", 2);
  sockets.push(await RawClient.ready(server.webSocketUrl));
  await stream[Symbol.asyncDispose]();
  await server.telemetry.until("stream.closed", 1);
  sockets.push(await RawClient.ready(server.webSocketUrl));
  for (const socket of sockets) await socket[Symbol.asyncDispose]();
});

Deno.test("connection flood, per address: behind a trusted proxy clients are counted, and the proxy is not", async () => {
  await using server = await startLocalServer({
    server: { trustedProxies: ["127.0.0.0/8"] },
    limits: { connectionsPerAddress: 2 },
  });
  const through = (client: string) =>
    RawClient.ready(server.webSocketUrl, {}, { headers: { "x-forwarded-for": `127.0.0.1, ${client}` } });

  const clients = await Promise.all(Array.from({ length: 10 }, (_, index) => through(`192.0.2.${index}`)));
  clients.push(await through("198.51.100.7"), await through("198.51.100.7"));
  await using refused = await RawClient.connect(server.webSocketUrl, {
    headers: { "x-forwarded-for": "198.51.100.7" },
  });

  assertEquals(await refused.closed, TOO_MANY);
  const opened = server.telemetry.records.filter(({ event }) => event === "connection.opened");
  assertEquals(opened.at(-1)!.fields.remoteAddress, "198.51.100.7");
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test("connection flood, per address: a header that names another client is believed of nobody else", async () => {
  await using server = await startLocalServer({ limits: { connectionsPerAddress: 2 } });
  const pretending = (client: string) =>
    RawClient.connect(server.webSocketUrl, { headers: { "x-forwarded-for": client } });
  const clients = [];
  for (const client of ["192.0.2.1", "192.0.2.2"]) {
    clients.push(await pretending(client));
    clients.at(-1)!.send({ type: "connection_init" });
    await clients.at(-1)!.next();
  }

  await using refused = await pretending("192.0.2.3");

  assertEquals(await refused.closed, TOO_MANY);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test(`G9 connections that end in ${Object.keys(DEATHS).length} ways all free their address's places`, async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ limits: { connectionsPerAddress: 4 } }, clock);

  for (const [how, die] of Object.entries(DEATHS)) {
    // One more than may be open, and twice as many over TCP.
    for (let time = 0; time < 9; time++) {
      const silent = await die({ port: server.port, userId: "ann", room: "lobby" });
      for (let ping = 0; silent !== undefined && ping < 4; ping++) clock.advance(15_000);
      await silent?.closed;
    }
    const alive = await FencedClient.open(server.webSocketUrl, { init: {}, answers: true, onMessage() {} })
      .catch((error: unknown) => error);
    assertEquals(alive instanceof FencedClient, true, how);
    await (alive as FencedClient).close();
    clock.advance(60_000);
  }
});
