import { assertEquals, assertLess } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { HttpStream } from "../support/http_stream.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const POST = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const GET = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
const STREAM = `GET /graphql?query=${
  encodeURIComponent(`subscription { messages(room: "lobby") { content } }`)
} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
const REQUEST_MS = 10_000;
const BODY_MS = 30_000;
/** How often it is seen whether an answer is read. */
const LOOK_MS = 30_000;
/** How often somebody who drips sends a little. */
const DRIPS = 10;
/** How fast an answer must be read, in bytes a millisecond. */
const READ_RATE = 32;

/** What a peer sends, answer by answer, and how long it lives after that. */
interface Shape {
  readonly name: string;
  readonly begins: string;
  /** Sent again and again. @default nothing */
  readonly drips?: string;
  /** What must have been answered before its time begins. */
  readonly answer?: RegExp;
  readonly livesMs: number;
  /** What it is told at its end. @default nothing */
  readonly lastWords?: RegExp;
}

const SHAPES: readonly Shape[] = [
  { name: "silence", begins: "", livesMs: REQUEST_MS },
  { name: "a first byte and no second", begins: "G", livesMs: REQUEST_MS },
  { name: "headers that stall", begins: GET, livesMs: REQUEST_MS },
  { name: "headers that drip, one by one", begins: GET, drips: "X-A: b\r\n", livesMs: REQUEST_MS },
  { name: "a header that drips, byte by byte", begins: `${GET}X-A: `, drips: "b", livesMs: REQUEST_MS },
  {
    name: "an upgrade that drips",
    begins: UPGRADE.replace(/\r\n\r\n$/, "\r\n"),
    drips: "X-A: b\r\n",
    livesMs: REQUEST_MS,
  },
  {
    name: "a body that stalls",
    begins: `${POST}Content-Length: 100\r\n\r\n{`,
    livesMs: BODY_MS,
    lastWords: /^HTTP\/1\.1 408 /,
  },
  {
    name: "a body that drips",
    begins: `${POST}Content-Length: 100\r\n\r\n{`,
    drips: " ",
    livesMs: BODY_MS,
    lastWords: /^HTTP\/1\.1 408 /,
  },
  {
    name: "a body that drips in chunks",
    begins: `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
    drips: "1\r\n \r\n",
    livesMs: BODY_MS,
    lastWords: /^HTTP\/1\.1 408 /,
  },
  {
    name: "a body that drips although nobody asked for one",
    begins: `${GET}Content-Length: 100\r\n\r\n`,
    drips: " ",
    answer: /"ok"/,
    livesMs: REQUEST_MS,
  },
  { name: "an idle kept-alive connection", begins: `${GET}\r\n`, answer: /"ok"/, livesMs: REQUEST_MS },
  {
    name: "a second request whose headers drip",
    begins: `${GET}\r\n${GET}`,
    drips: "X-A: b\r\n",
    answer: /"ok"/,
    livesMs: REQUEST_MS,
  },
];

for (const { name, begins, drips = "", answer, livesMs, lastWords } of SHAPES) {
  Deno.test(`slowloris: ${name} is cut after ${livesMs / 1_000} s`, async () => {
    await using world = await open();
    const peer = await RawSocket.connect(world.port);
    await peer.send(begins);
    if (answer !== undefined) await peer.until(answer);
    await world.fence();

    for (let drip = 1; drip < DRIPS; drip++) {
      world.clock.advance(livesMs / DRIPS);
      await peer.send(drips);
      await world.fence();
    }
    world.clock.advance(livesMs / DRIPS - 1);
    await world.fence();
    assertEquals(peer.isOpen, true);
    world.clock.advance(1);

    if (lastWords !== undefined) await peer.until(lastWords);
    await peer.closed;
    await world.fence();
  });
}

Deno.test("slowloris: an answer that is not read is given up, in the end by its size, and others are served", async () => {
  await using world = await open();
  await using proxy = await TcpProxy.start(world.port);
  const messages = 200;
  const bytes = messages * 60_000;
  for (let sent = 0; sent < messages; sent++) {
    await world.server.query(SEND, { room: "lobby", content: "x".repeat(60_000) });
  }
  const query = encodeURIComponent(`{ room(room: "lobby") { messages(last: ${messages}) { nodes { content } } } }`);
  const peer = await RawSocket.connect(proxy.port);
  const begun = proxy.next("toClient");
  await peer.send(`GET /graphql?query=${query} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`);
  await begun;
  proxy.stall("toClient");

  // Looked at once, then given the time that a slow phone needs for that much.
  world.clock.advance(LOOK_MS);
  world.clock.advance(LOOK_MS);
  await world.fence();
  assertEquals(peer.isOpen, true);
  // A little more than the contents alone.
  world.clock.advance(1.01 * bytes / READ_RATE);
  // Nothing has passed the proxy until now, an end neither.
  proxy.resume();
  await peer.closed;

  assertLess(proxy.counters.toClient, bytes);
});

Deno.test("slowloris: what is asked for in time is answered however long the connection lasts", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.port);

  for (let asked = 0; asked < 20; asked++) {
    await peer.send(`${GET}\r\n`);
    await peer.until(/"ok"/);
    await world.fence();
    world.clock.advance(REQUEST_MS - 1);
  }

  await peer.end();
});

for (
  const [name, begins, live] of [
    ["a stream", STREAM, /text\/event-stream[^]*id: /],
    ["a stream asked for together with something else", `${GET}\r\n${STREAM}`, /"ok"[^]*text\/event-stream[^]*id: /],
  ] as const
) {
  Deno.test(`slowloris: ${name} may last`, async () => {
    await using world = await open();
    const peer = await RawSocket.connect(world.port);
    await peer.send(begins);
    await peer.until(live);

    for (let waited = 0; waited < 20; waited++) {
      world.clock.advance(REQUEST_MS);
      await world.fence();
    }
    await world.server.query(SEND, { room: "lobby", content: "still here" });

    await peer.until(/still here/);
    await peer.end();
  });
}

Deno.test("slowloris: a multipart stream may last", async () => {
  await using world = await open();
  await using stream = await HttpStream.subscribe(
    world.server.url,
    `subscription { messages(room: "lobby") { content } }`,
    { headers: { accept: "multipart/mixed;boundary=graphql;subscriptionSpec=1.0" } },
  );

  for (let waited = 0; waited < 20; waited++) {
    world.clock.advance(REQUEST_MS);
    await world.fence();
  }
  await world.server.query(SEND, { room: "lobby", content: "still here" });

  await stream.read(/still here/);
});

async function open() {
  const clock = new ManualClock();
  // What is sent stays, however much time passes.
  const history = { bytes: 67_108_864, ageMs: 86_400_000 };
  // So is an answer of many megabytes.
  const limits = { outboxBytes: 67_108_864 };
  const server = await startLocalServer({ history, limits }, clock);
  return {
    clock,
    server,
    port: server.port,
    /** Somebody else is served: by then what was sent before has been read. */
    async fence(): Promise<void> {
      for (let asked = 0; asked < 2; asked++) {
        const other = await RawSocket.connect(server.port);
        await other.send(`${GET}Connection: close\r\n\r\n`);
        await other.until(/"ok"/);
        await other.closed;
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
