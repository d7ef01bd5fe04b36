import { assertEquals } from "@std/assert";
import { LiveFrame } from "../../src/graphql/live_frame.ts";
import { FlushQueue } from "../../src/transports/flush_queue.ts";
import { FrameBatch } from "../../src/transports/frame_batch.ts";
import { FrameHeads } from "../../src/transports/frame_head.ts";
import { Outbox } from "../../src/transports/outbox.ts";
import { readFrames } from "../support/server_frames.ts";

/** A socket that keeps what is written, or lets it pile up. */
class FakeSocket {
  readonly writes: Uint8Array[] = [];
  writableLength = 0;
  stalled = false;

  write(bytes: Uint8Array): boolean {
    this.writes.push(Uint8Array.from(bytes));
    if (this.stalled) this.writableLength += bytes.length;
    return !this.stalled;
  }
}

function openOutbox(maxBytes = 1_048_576) {
  const socket = new FakeSocket();
  let overflows = 0;
  const outbox = new Outbox({
    socket,
    flushes: new FlushQueue(),
    batch: new FrameBatch(),
    isOpen: () => true,
    maxBytes,
    onOverflow: () => overflows++,
  });
  return { socket, outbox, overflows: () => overflows };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
  Deno.test(`an outbox frames a text of ${length} bytes as RFC 6455 has it`, async () => {
    const { socket, outbox } = openOutbox();

    outbox.sendText("x".repeat(length));
    await turn();

    assertEquals(readFrames(socket.writes[0]!), ["x".repeat(length)]);
  });
}

Deno.test("what gathers in one turn of the event loop is one write, in order", async () => {
  const { socket, outbox } = openOutbox();
  const heads = new FrameHeads(`{"id":"a","payload":`);

  outbox.sendText("first");
  outbox.sendShared(heads, new LiveFrame(`"é"`, "cursor"));
  outbox.sendText("last");
  await turn();
  outbox.sendText("next turn");
  await turn();

  assertEquals(socket.writes.map(readFrames), [["first", `{"id":"a","payload":"é"}`, "last"], ["next turn"]]);
});

Deno.test("output that has gathered to 64 KiB does not wait for the end of the turn", () => {
  const { socket, outbox } = openOutbox();

  for (let sent = 0; sent < 7; sent++) outbox.sendText("x".repeat(10_000));

  assertEquals(socket.writes.length, 1);
  outbox.close();
});

Deno.test("G4 a reader that lets more wait than allowed is told of once, and gets nothing more", async () => {
  const { socket, outbox, overflows } = openOutbox(1_000);
  socket.stalled = true;

  outbox.sendText("x".repeat(300));
  await turn();
  // Beside the bound there is room for the one that was sent while nothing waited.
  outbox.sendText("x".repeat(980));
  await turn();
  outbox.sendText("x".repeat(20));
  outbox.sendText("small");
  await turn();

  assertEquals([overflows(), socket.writes.length], [1, 2]);
});

Deno.test("a closed outbox sends nothing", async () => {
  const { socket, outbox } = openOutbox();

  outbox.sendText("too late");
  outbox.close();
  outbox.sendText("far too late");
  await turn();

  assertEquals(socket.writes, []);
});

Deno.test("G4 an outbox that overflows still sends what was taken before, then the last words", async () => {
  const { socket, outbox } = openOutbox(1_000);
  outbox.sendText("taken");
  outbox.sendText("x".repeat(1_000));
  outbox.sendText("x".repeat(1_000));
  outbox.sendText("too late");

  outbox.end("goodbye");
  outbox.sendText("far too late");

  await turn();
  assertEquals(socket.writes.flatMap(readFrames), ["taken", "x".repeat(1_000), "goodbye"]);
});

Deno.test("G4 what comes behind one frame larger than the bound is no lag", async () => {
  const { socket, outbox, overflows } = openOutbox(1_000);
  socket.stalled = true;

  outbox.sendText("x".repeat(5_000));
  await turn();
  outbox.sendText("a Ping");
  await turn();

  assertEquals([overflows(), socket.writes.flatMap(readFrames).length], [0, 2]);
});

Deno.test("who waits for room in an outbox that has ended is not told of any", async () => {
  const { outbox } = openOutbox(1_000);
  outbox.end();

  const waited = outbox.busy();

  assertEquals(await Promise.race([waited?.then(() => "room"), turn().then(() => "none")]), "none");
});
