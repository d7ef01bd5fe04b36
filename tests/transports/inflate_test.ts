import { Buffer } from "node:buffer";
import { constants, createDeflateRaw, deflateRawSync } from "node:zlib";
import { assertEquals, assertLess } from "@std/assert";
import type { RoomsOptions } from "../../src/options.ts";
import { FrameSocket } from "../support/frame_socket.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import type { ServerFrame } from "../support/server_frames.ts";

const COMPRESSING: RoomsOptions = { server: { compression: true } };
/** FIN, RSV1 and opcodes of RFC 6455 section 5.2. */
const DEFLATED = 0xc1;
const DEFLATED_BEGIN = 0x41;
const GOES_ON = 0x00;
const ENDS = 0x80;
const CLOSE = 0x88;
const PLAIN = 0x81;

/** What is not the deflated form of anything; zlib finds out at the start or in the middle. */
const NO_DEFLATE: Readonly<Record<string, Uint8Array>> = {
  "is no deflate": Buffer.alloc(100, 0xff),
  "goes wrong in the middle": Buffer.concat([
    deflated(operation("1")),
    Buffer.of(0, 0, 0, 0xff, 0xff),
    Buffer.alloc(9, 7),
  ]),
};

Deno.test("a compressed message is read, whole, in fragments, and between plain ones", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");

  client.sendFrame(DEFLATED, deflated(operation("whole")));
  const bytes = deflated(operation("fragments"));
  client.sendFrame(DEFLATED_BEGIN, bytes.subarray(0, 7));
  for (let at = 7; at < bytes.length - 1; at++) client.sendFrame(GOES_ON, bytes.subarray(at, at + 1));
  client.sendFrame(ENDS, bytes.subarray(-1));
  client.sendFrame(PLAIN, Buffer.from(operation("plain")));

  for (const id of ["whole", "fragments", "plain"]) {
    assertEquals([(await client.nextMessage()).id, (await client.nextMessage()).type], [id, "complete"]);
  }
});

Deno.test("messages that end in a last block of deflate are read", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");

  for (const id of ["1", "2"]) {
    // RFC 7692 section 7.2.3.4: behind a last block stands an empty one.
    client.sendFrame(DEFLATED, Buffer.concat([deflateRawSync(operation(id)), Buffer.of(0)]));
    assertEquals([(await client.nextMessage()).id, (await client.nextMessage()).type], [id, "complete"]);
  }
});

Deno.test("a message that was compressed with the one before it in mind is refused", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");
  const [first, second] = await deflatedTogether([operation("1"), operation("2")]);

  client.sendFrame(DEFLATED, first!);
  assertEquals([(await client.nextMessage()).id, (await client.nextMessage()).type], ["1", "complete"]);
  client.sendFrame(DEFLATED, second!);

  assertEquals(closeCode(await client.next()), 1007);
});

for (const [what, bytes] of Object.entries(NO_DEFLATE)) {
  Deno.test(`a message that ${what} closes with 1007, however often, and others are not disturbed`, async () => {
    await using server = await startLocalServer(COMPRESSING);
    await using other = await FrameSocket.ready(server.port, "permessage-deflate");

    // More than ws inflates at once.
    for (let times = 0; times < 25; times++) {
      await using client = await FrameSocket.ready(server.port, "permessage-deflate");
      client.sendFrame(DEFLATED, bytes);
      assertEquals(closeCode(await client.next()), 1007);
    }

    other.sendFrame(DEFLATED, deflated(operation("1")));
    assertEquals((await other.nextMessage()).id, "1");
  });
}

Deno.test("a compressed message without the extension closes with 1002", async () => {
  await using server = await startLocalServer();
  await using client = await FrameSocket.ready(server.port, "permessage-deflate");

  client.sendFrame(DEFLATED, deflated(operation("1")));

  assertEquals(closeCode(await client.next()), 1002);
});

/** Messages whose text is larger than frameBytes, in a few bytes. */
const BOMBS: Readonly<Record<string, (client: FrameSocket, bytes: Uint8Array) => void>> = {
  "one frame": (client, bytes) => client.sendFrame(DEFLATED, bytes),
  "many frames"(client, bytes) {
    client.sendFrame(DEFLATED_BEGIN, bytes.subarray(0, 100));
    for (let at = 100; at < bytes.length; at += 5_000) client.sendFrame(GOES_ON, bytes.subarray(at, at + 5_000));
    client.sendFrame(ENDS, new Uint8Array(0));
  },
};

for (const [what, sendBomb] of Object.entries(BOMBS)) {
  Deno.test(`a zip bomb in ${what} closes with 1009, and is not inflated`, async () => {
    // 200 MB of text in 200 kB: less than a message may have.
    const bomb = deflated("x".repeat(200_000_000));
    assertLess(bomb.length, 262_144);
    await using server = await startLocalServer(COMPRESSING);
    await using client = await FrameSocket.ready(server.port, "permessage-deflate");
    const before = Deno.memoryUsage().rss;

    sendBomb(client, bomb);

    assertEquals(closeCode(await client.next()), 1009);
    await closed(server);
    assertLess(Deno.memoryUsage().rss - before, 30_000_000);
  });
}

Deno.test("a connection_init that inflates to more than 32 KiB closes with 1009", async () => {
  await using server = await startLocalServer(COMPRESSING);
  await using client = FrameSocket.open(server.port, "permessage-deflate");
  await client.answer;

  client.sendFrame(DEFLATED, deflated(JSON.stringify({ type: "connection_init", payload: { x: "x".repeat(33_000) } })));

  assertEquals(closeCode(await client.next()), 1009);
});

Deno.test("a peer that goes while its message is being inflated leaves nothing behind", async () => {
  await using server = await startLocalServer(COMPRESSING);
  const client = await FrameSocket.ready(server.port, "permessage-deflate");

  for (let sent = 0; sent < 50; sent++) client.sendFrame(DEFLATED, deflated(operation(`${sent}`)));
  await client[Symbol.asyncDispose]();

  await closed(server);
  const { data } = await server.query("{ server { connections subscriptions } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0 });
});

function operation(id: string): string {
  return JSON.stringify({ id, type: "subscribe", payload: { query: "{ viewer { userId } }" } });
}

/** A message as a client compresses it (RFC 7692 section 7.2.1). */
function deflated(text: string): Uint8Array {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Messages as a client compresses them that keeps its context. */
async function deflatedTogether(texts: readonly string[]): Promise<readonly Uint8Array[]> {
  const deflate = createDeflateRaw();
  const messages: Uint8Array[] = [];
  for (const text of texts) {
    deflate.write(text);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    messages.push(Buffer.from(deflate.read()).subarray(0, -4));
  }
  deflate.close();
  return messages;
}

function closeCode({ firstByte, payload }: ServerFrame): number {
  assertEquals(firstByte, CLOSE);
  return Buffer.from(payload).readUInt16BE(0);
}

async function closed(server: LocalServer): Promise<void> {
  while (!server.telemetry.events.includes("connection.closed")) await new Promise((resolve) => setImmediate(resolve));
}
