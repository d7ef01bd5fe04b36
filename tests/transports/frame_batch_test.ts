import { Buffer } from "node:buffer";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { FrameBatch, type Frames } from "../../src/transports/frame_batch.ts";
import { type FrameHead, FrameHeads, PLAIN_TEXT } from "../../src/transports/frame_head.ts";
import { readFrames } from "../support/server_frames.ts";
import { seeded } from "../support/seeded.ts";

/** A socket whose kernel takes everything, nothing, or what the test says. */
class FakeSocket {
  readonly given: Uint8Array[] = [];
  readonly texts: string[][] = [];
  writableLength = 0;

  constructor(readonly takes = true) {}

  write(bytes: Uint8Array): boolean {
    this.given.push(bytes);
    this.texts.push(readFrames(bytes));
    if (!this.takes) this.writableLength += bytes.length;
    return this.takes;
  }
}

const head = (id: string): FrameHead => new FrameHeads(`{"id":"${id}","payload":`).plain;
const frames = (heads: readonly FrameHead[], bodies: readonly Uint8Array[]): Frames => ({
  heads,
  bodies,
  bytes: heads.reduce((sum, one, index) => sum + 11 + one.bytes.length + bodies[index]!.length, 0),
});

Deno.test("whoever has the same bodies behind heads of equal length gets the same memory, addressed to them", () => {
  const batch = new FrameBatch();
  const bodies = [Buffer.from(`"a"`), Buffer.from(`"b"`)];
  const [ann, bob] = [new FakeSocket(), new FakeSocket()];

  batch.write(ann, frames([head("ann"), head("ann")], bodies));
  batch.write(bob, frames([head("bob"), head("bob")], [...bodies]));

  assertEquals(ann.texts, [[`{"id":"ann","payload":"a"}`, `{"id":"ann","payload":"b"}`]]);
  assertEquals(bob.texts, [[`{"id":"bob","payload":"a"}`, `{"id":"bob","payload":"b"}`]]);
  assertStrictEquals(bob.given[0]!.buffer, ann.given[0]!.buffer);
});

Deno.test("memory that the kernel has not taken is never written into again", () => {
  const batch = new FrameBatch();
  const bodies = [Buffer.from(`"a"`)];
  const [slow, next] = [new FakeSocket(false), new FakeSocket()];

  batch.write(slow, frames([head("ann")], bodies));
  batch.write(next, frames([head("bob")], bodies));

  assertEquals(readFrames(slow.given[0]!), [`{"id":"ann","payload":"a"}`]);
  assertEquals(next.texts, [[`{"id":"bob","payload":"a"}`]]);
});

Deno.test("any mix of texts, heads and bodies is written right: 2,000 batches, as random as seed 7 makes them", () => {
  const random = seeded(7);
  const below = (limit: number): number => Math.floor(random() * limit);
  const batch = new FrameBatch();
  const shared = [0, 1, 100, 120, 65_500, 70_000].map((size) => Buffer.from(`"${"x".repeat(size)}"`));
  const kept: [Uint8Array, string[]][] = [];
  for (let run = 0; run < 2_000; run++) {
    // Small ones most of the time, as in life.
    const bodies = Array.from({ length: 1 + below(3) }, () => shared[below(run % 50 === 0 ? 6 : 4)]!);
    const heads = bodies.map(() => below(4) === 0 ? PLAIN_TEXT : head("i".repeat(1 + below(2)) + below(10)));
    const socket = new FakeSocket(below(10) > 0);
    batch.write(socket, frames(heads, bodies));
    const texts = bodies.map((body, index) =>
      heads[index] === PLAIN_TEXT ? String(body) : `${heads[index]!.bytes}${body}}`
    );
    assertEquals(socket.texts, [texts]);
    if (!socket.takes) kept.push([socket.given[0]!, texts]);
  }
  for (const [bytes, texts] of kept) assertEquals(readFrames(bytes), texts);
});
