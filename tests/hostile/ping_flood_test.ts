import { Buffer } from "node:buffer";
import { assertEquals, assertLess } from "@std/assert";
import { FrameSocket } from "../support/frame_socket.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

/** What a connection may say at once. */
const FRAMES = 200;
const OUTBOX_BYTES = 65_536;
/** More than 10 MB of answers. */
const MOST_SENT = 100_000;
const PING = 0x89;
const PONG = 0x8a;
const CLOSE = 0x88;

function startServer(messagesPerSecond: number, clock: ManualClock) {
  return startLocalServer(
    { auth: { anonymous: true }, limits: { messagesPerSecond, outboxBytes: OUTBOX_BYTES } },
    clock,
  );
}

for (
  const [what, isAnswered, flood] of [
    ["ping messages", true, (socket: FrameSocket) => socket.send({ type: "ping" })],
    ["pong messages", false, (socket: FrameSocket) => socket.send({ type: "pong" })],
    ["Ping frames", true, (socket: FrameSocket) => socket.sendFrame(PING, Buffer.from("hi"))],
    ["Pong frames", false, (socket: FrameSocket) => socket.sendFrame(PONG, Buffer.from("hi"))],
    ["completes of nothing", false, (socket: FrameSocket) => socket.send({ id: "x", type: "complete" })],
  ] as const
) {
  Deno.test(`ping flood: too many ${what} close the connection with 1013, and nobody else's`, async () => {
    const clock = new ManualClock();
    await using server = await startServer(5, clock);
    await using other = await RawClient.ready(server.webSocketUrl);
    await using socket = await FrameSocket.ready(server.port);

    // The connection_init was the first.
    for (let sent = 1; sent < FRAMES; sent++) {
      flood(socket);
      if (isAnswered) await socket.next();
    }
    flood(socket);
    let last = await socket.next();
    while (last.firstByte !== CLOSE) last = await socket.next();

    const { payload } = last;
    assertEquals([Buffer.from(payload).readUInt16BE(0), Buffer.from(payload).toString("utf8", 2)], [
      1013,
      "too many messages",
    ]);
    clock.advance(1_000);
    await socket.ended;
    other.subscribe("v", "{ viewer { userId } }");
    assertEquals((await other.next()).type, "next");
  });
}

for (
  const [what, flood] of [
    ["ping messages", (socket: FrameSocket) => socket.send({ type: "ping", payload: { text: "x".repeat(1_000) } })],
    ["Ping frames", (socket: FrameSocket) => socket.sendFrame(PING, Buffer.alloc(125))],
  ] as const
) {
  Deno.test(`ping flood: ${what} to a peer that reads nothing end it, also when messages are not counted`, async () => {
    const clock = new ManualClock();
    await using server = await startServer(0, clock);
    await using socket = await FrameSocket.ready(server.port);
    socket.stall();
    const isClosed = () => server.telemetry.events.includes("connection.closed");

    let sent = 0;
    for (; sent < MOST_SENT && !isClosed(); sent++) {
      flood(socket);
      if (sent % 500 !== 499) continue;
      await new Promise((resolve) => setTimeout(resolve));
      // One that is to go is cut off a moment later.
      clock.advance(1_000);
    }

    // What the kernel takes of the answers, and what waits here, is much less than what was sent.
    assertLess(sent, MOST_SENT);
  });
}
