import { Buffer } from "node:buffer";
import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { LiveFrame } from "../../src/graphql/live_frame.ts";
import { Deflater } from "../../src/transports/deflater.ts";
import { FlushQueue } from "../../src/transports/flush_queue.ts";
import { FrameBatch } from "../../src/transports/frame_batch.ts";
import { FrameHeads } from "../../src/transports/frame_head.ts";
import { Outbox } from "../../src/transports/outbox.ts";
import { isDeflated, type ServerFrame, splitFrames, textOf } from "../support/server_frames.ts";

/** A socket that keeps the very memory it is given, as one does whose peer does not read. */
class KeepingSocket {
  readonly writes: Uint8Array[] = [];
  writableLength = 0;

  constructor(readonly stalled: boolean) {}

  write(bytes: Uint8Array): boolean {
    this.writes.push(this.stalled ? bytes : Uint8Array.from(bytes));
    if (this.stalled) this.writableLength += bytes.length;
    return !this.stalled;
  }

  get frames(): ServerFrame[] {
    return this.writes.flatMap((bytes) => splitFrames(bytes).frames);
  }
}

/** The parts of a node that its outboxes share. */
function openNode() {
  const flushes = new FlushQueue();
  return { flushes, batch: new FrameBatch(), deflater: new Deflater(flushes) };
}

type Node = ReturnType<typeof openNode>;

function openOutbox(node: Node, { stalled = false, deflates = true, maxBytes = 1_048_576 } = {}) {
  const socket = new KeepingSocket(stalled);
  let overflows = 0;
  const outbox = new Outbox({
    socket,
    flushes: node.flushes,
    batch: node.batch,
    deflater: deflates ? node.deflater : undefined,
    isOpen: () => true,
    maxBytes,
    onOverflow: () => overflows++,
  });
  return { socket, outbox, overflows: () => overflows };
}

const headText = (id: string): string => `{"id":${JSON.stringify(id)},"type":"next","payload":`;
const headsOf = (id: string): FrameHeads => new FrameHeads(headText(id));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** JSON of about this many characters, of words or of whatever is given. */
function frameOf(length: number, word = "rooms and their messages "): LiveFrame {
  const content = word.repeat(Math.ceil(length / word.length)).slice(0, length);
  return new LiveFrame(JSON.stringify({ data: { content }, extensions: { cursor: "c" } }), "c");
}

const SIZES = [0, 900, 1_100, 2_048, 20_480, 65_536, 65_600, 200_000];
const WORDS = {
  "one byte a character": "rooms and their messages ",
  "multi-byte": "é中文🎉 salons — ",
  "quotes": '"\\\n',
};

for (const size of SIZES) {
  for (const [what, word] of Object.entries(WORDS)) {
    Deno.test(`an event's frame of ${size} characters, ${what}, inflates to the exact text`, async () => {
      const { socket, outbox } = openOutbox(openNode());
      const frame = frameOf(size, word);

      outbox.sendShared(headsOf("é-1"), frame);
      await turn();

      const [sent, ...more] = socket.frames;
      assertEquals(textOf(sent!), `${headText("é-1")}${frame.text}}`);
      assertEquals([isDeflated(sent!), more], [frame.bytes.length > 1_024, []]);
    });

    Deno.test(`a text of ${size} characters, ${what}, inflates to what it was`, async () => {
      const { socket, outbox } = openOutbox(openNode());
      const { text, bytes } = frameOf(size, word);

      outbox.sendText(text);
      await turn();

      const [sent] = socket.frames;
      assertEquals([textOf(sent!), isDeflated(sent!)], [text, bytes.length > 1_024]);
    });
  }
}

Deno.test("text of 1,024 bytes goes as it is, one byte more is compressed", async () => {
  const { socket, outbox } = openOutbox(openNode());

  outbox.sendText("x".repeat(1_024));
  outbox.sendText("x".repeat(1_025));
  await turn();

  assertEquals(socket.frames.map(isDeflated), [false, true]);
});

Deno.test("a head longer than a stored block of deflate is stored in several", async () => {
  const { socket, outbox } = openOutbox(openNode());
  const id = "x".repeat(150_000);
  const frame = frameOf(3_000);

  outbox.sendShared(headsOf(id), frame);
  await turn();

  const [sent] = socket.frames;
  assertEquals([isDeflated(sent!), textOf(sent!)], [true, `${headText(id)}${frame.text}}`]);
});

Deno.test("G12 an event is compressed once for all its readers, and with a notice is another frame", async () => {
  const { deflater } = openNode();
  const frame = frameOf(5_000);

  const body = deflater.body(frame);

  assert(body !== undefined);
  assertStrictEquals(deflater.body(frame), body);
  assert(deflater.body(frame.with({ gap: true })) !== body);
  // Frames are kept for those who come later: not each with a buffer of zlib's.
  assertEquals(body.buffer.byteLength, body.length);
  await turn();
});

Deno.test("readers with ids of equal and unequal lengths, compressing or not, each get their own frame", async () => {
  const node = openNode();
  const frames = [frameOf(3_000), frameOf(10), frameOf(30_000)];
  const readers = ["a", "b", "long-é", "c", "longer", "d"].flatMap((id) =>
    [true, false, true].map((deflates) => ({ id, deflates, ...openOutbox(node, { deflates }) }))
  );

  for (const { id, outbox } of readers) {
    const heads = headsOf(id);
    for (const frame of frames) outbox.sendShared(heads, frame);
  }
  await turn();

  for (const { id, deflates, socket } of readers) {
    assertEquals(socket.frames.map(textOf), frames.map(({ text }) => `${headText(id)}${text}}`));
    assertEquals(socket.frames.map(isDeflated), [deflates, false, deflates]);
  }
});

Deno.test("one body behind heads of one length but of another kind is another frame", () => {
  const { batch } = openNode();
  const socket = new KeepingSocket(false);
  const bodies = [Buffer.from("x".repeat(50))];
  const plain = new FrameHeads("12345678");
  const shorter = new FrameHeads("123");

  for (const head of [plain.plain, shorter.deflated, plain.plain]) {
    assertEquals(head.bytes.length, 8);
    batch.write(socket, { heads: [head], bodies, bytes: 1_000 });
  }

  assertEquals(socket.frames.map(({ firstByte }) => firstByte), [0x81, 0xc1, 0x81]);
  assertEquals(socket.frames.map(({ payload }) => payload.length), [59, 65, 59]);
});

Deno.test("G4 compressed frames that wait in a socket are not written over by those of others", async () => {
  const node = openNode();
  const frames = [frameOf(3_000), frameOf(2_000, "other words ")];
  const slow = ["s1", "s2", "s3"].map((id) => ({ id, ...openOutbox(node, { stalled: true }) }));
  const fast = ["f1", "f2", "f3"].map((id) => ({ id, ...openOutbox(node) }));
  const readers = slow.flatMap((one, index) => [one, fast[index]!]);

  for (const frame of frames) {
    for (const { id, outbox } of readers) outbox.sendShared(headsOf(id), frame);
    await turn();
  }

  for (const { id, socket } of readers) {
    assertEquals(socket.frames.map(textOf), frames.map(({ text }) => `${headText(id)}${text}}`));
  }
});

Deno.test("G4 bytes wait as they are written: compressed, far more text may wait", async () => {
  const node = openNode();
  const [compressing, plain] = [true, false].map((deflates) =>
    openOutbox(node, { stalled: true, deflates, maxBytes: 50_000 })
  );

  for (let sent = 0; sent < 10; sent++) {
    for (const reader of [compressing!, plain!]) reader.outbox.sendShared(headsOf("a"), frameOf(20_000));
    await turn();
  }

  assertEquals([compressing!.overflows(), plain!.overflows()], [0, 1]);
  assertLess(compressing!.outbox.waiting, 10_000);
});

Deno.test("last words are compressed like all others", async () => {
  const { socket, outbox } = openOutbox(openNode());

  outbox.end("goodbye ".repeat(500));
  await turn();

  assertEquals(socket.frames.map(textOf), ["goodbye ".repeat(500)]);
  assertEquals(socket.frames.map(isDeflated), [true]);
});

Deno.test("a turn compresses 512 KiB at most, the rest goes as it is, and the next turn compresses again", async () => {
  const { socket, outbox } = openOutbox(openNode(), { maxBytes: 16_777_216 });
  const text = "x".repeat(100_000);

  for (let sent = 0; sent < 7; sent++) outbox.sendText(text);
  await turn();
  outbox.sendText(text);
  outbox.sendText("x".repeat(600_000));
  await turn();

  assertEquals(socket.frames.map(isDeflated), [true, true, true, true, true, false, false, true, false]);
});
