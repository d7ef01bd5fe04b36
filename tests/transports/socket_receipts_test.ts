import { assertEquals } from "@std/assert";
import type { Receipt } from "../../src/core/engine.ts";
import { FlushQueue } from "../../src/transports/flush_queue.ts";
import { FrameBatch } from "../../src/transports/frame_batch.ts";
import { Outbox } from "../../src/transports/outbox.ts";
import { ReceiptKeeper } from "../../src/transports/receipt_keeper.ts";
import { SocketReceipts } from "../../src/transports/socket_receipts.ts";
import { callerOf } from "../support/live_world.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { readFrames } from "../support/server_frames.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

function open() {
  place = "start";
  const clock = new ManualClock();
  const stored = new Map<string, Receipt>();
  const keeper = new ReceiptKeeper({
    receipts: {
      put: (receipts) => Promise.resolve(receipts.forEach((one) => stored.set(one.operationId, one))),
      get: (id) => Promise.resolve(stored.get(id)),
      remove: (ids) => Promise.resolve(ids.forEach((id) => stored.delete(id))),
    },
    clock,
    telemetry: new RecordingTelemetry(),
  });
  const written: Uint8Array[] = [];
  const flushes = new FlushQueue();
  const socket = { writableLength: 0, write: (bytes: Uint8Array) => written.push(Uint8Array.from(bytes)) > 0 };
  const outbox = new Outbox({
    socket,
    flushes,
    batch: new FrameBatch(),
    isOpen: () => true,
    maxBytes: 1_000_000,
    onOverflow() {},
  });
  const receipts = new SocketReceipts({ keeper, outbox, flushes, clock });
  return { clock, stored, receipts, written };
}

const owner = { operationId: "a", fingerprint: "f", caller: callerOf("ann"), isNameless: true };
const detach = (): void => {};
/** Where everything that was sent brings the client; each test says it anew. */
let place = "";
const sent = (): string => place;

/** Resolves when a Ping has been put together, in one turn, and written, in the next. */
async function turn(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
}

const payloads = (written: readonly Uint8Array[]) =>
  written.flatMap(readFrames).map((text) => JSON.parse(text)).map(({ payload }) => payload);

Deno.test("a client that answers no Ping for five seconds has no receipts, and a late answer brings them back", async () => {
  const { clock, stored, receipts } = open();
  receipts.begin(owner, { cursor: "start", earned: false, detach, sent });
  await turn();

  clock.advance(5_001);
  const silent = stored.has("a");
  receipts.answered({ rooms: { a: "start" } });

  assertEquals([silent, stored.get("a")?.cursor], [false, "start"]);
  receipts.close();
});

Deno.test("G2 a receipt that was earned before stays, however long the next answer takes", async () => {
  const { clock, stored, receipts } = open();
  place = "earned";
  receipts.begin(owner, { cursor: "earned", earned: true, detach, sent });
  await turn();

  clock.advance(60_000);
  receipts.close();

  assertEquals(stored.get("a")?.cursor, "earned");
});

Deno.test("answers that come many pings late still confirm, because pings wait for answers", async () => {
  const { clock, stored, receipts, written } = open();
  place = "0";
  receipts.begin(owner, { cursor: "0", earned: false, detach, sent });
  for (let second = 1; second <= 20; second++) {
    await turn();
    clock.advance(1_000);
    place = String(second);
    receipts.moved("a");
  }
  await turn();

  receipts.answered({ rooms: { a: "0" } });
  receipts.answered({ rooms: { a: "7" } });
  receipts.close();

  assertEquals(payloads(written).length, 8);
  assertEquals(stored.get("a")?.cursor, "7");
  clock.advance(10_000);
});

Deno.test("there is at most one Ping a second, and it tells the latest", async () => {
  const { clock, receipts, written } = open();
  place = "0";
  receipts.begin(owner, { cursor: "0", earned: false, detach, sent });
  await turn();
  for (const cursor of ["1", "2"]) {
    place = cursor;
    receipts.moved("a");
    await turn();
  }
  const before = payloads(written).length;

  clock.advance(1_000);
  await turn();

  assertEquals([before, payloads(written)], [1, [{ rooms: { a: "0" } }, { rooms: { a: "2" } }]]);
  receipts.close();
});

Deno.test("a Ping lists what was recovered and what was not, unless a frame has said it first", async () => {
  const { receipts, written } = open();
  place = "0";
  for (const operationId of ["all", "lost", "hole", "said"]) {
    receipts.begin({ ...owner, operationId }, { cursor: "0", earned: false, detach, sent });
  }

  receipts.notice("all", { recovered: true });
  receipts.notice("lost", { recovered: false });
  receipts.notice("hole", { gap: true });
  receipts.notice("said", { gap: true });
  receipts.noticed("said");
  receipts.notice("nobody's", { gap: true });
  await turn();

  const rooms = { all: "0", lost: "0", hole: "0", said: "0" };
  assertEquals(payloads(written), [{ rooms, recovered: ["all"], gap: ["lost", "hole"] }]);
  receipts.close();
});

Deno.test("a client that answers no Ping is not asked a last time", async () => {
  const { clock, receipts } = open();
  place = "0";
  receipts.begin(owner, { cursor: "0", earned: false, detach, sent });
  await turn();

  place = "sent";
  const asked = receipts.lastPing(() => {});
  clock.advance(5_001);

  assertEquals(asked, `{"type":"ping","payload":{"rooms":{"a":"sent"}}}`);
  assertEquals(receipts.lastPing(() => {}), undefined);
  receipts.close();
});

Deno.test("G3 a Ping tells no place before that of a frame that went out earlier", async () => {
  const { receipts, written } = open();
  receipts.begin(owner, { cursor: "start", earned: false, detach, sent });
  place = "frame";

  await turn();

  assertEquals(payloads(written), [{ rooms: { a: "frame" } }]);
  receipts.close();
});

Deno.test("what was not told while answers were due is told once they have come, without another message", async () => {
  const { clock, receipts, written } = open();
  receipts.begin(owner, { cursor: "0", earned: false, detach, sent });
  for (let second = 1; second <= 20; second++) {
    await turn();
    clock.advance(1_000);
    place = String(second);
    receipts.moved("a");
  }
  await turn();
  const before = payloads(written).length;

  receipts.answered({ rooms: { a: "7" } });
  clock.advance(1_000);
  await turn();

  assertEquals([before, payloads(written).at(-1)], [8, { rooms: { a: "20" } }]);
  receipts.close();
});
