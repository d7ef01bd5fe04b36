import { assertEquals } from "@std/assert";
import type { Receipt } from "../../src/core/engine.ts";
import { FlushQueue } from "../../src/transports/flush_queue.ts";
import { Outbox } from "../../src/transports/outbox.ts";
import { ReceiptKeeper } from "../../src/transports/receipt_keeper.ts";
import { SocketReceipts } from "../../src/transports/socket_receipts.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

function open() {
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
  const written: string[] = [];
  const flushes = new FlushQueue();
  const socket = { writableLength: 0, write: (bytes: Uint8Array) => written.push(new TextDecoder().decode(bytes)) > 0 };
  const outbox = new Outbox({ socket, flushes, isOpen: () => true, maxBytes: 1_000_000, onOverflow() {} });
  const receipts = new SocketReceipts({ keeper, outbox, flushes, clock });
  return { clock, stored, receipts, written };
}

const owner = { operationId: "a", fingerprint: "f", userId: null };
const detach = (): void => {};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

Deno.test("a client that answers no Ping for five seconds has no receipts, and a late answer brings them back", async () => {
  const { clock, stored, receipts } = open();
  receipts.begin(owner, { cursor: "start", earned: false, detach });
  await turn();

  clock.advance(5_001);
  const silent = stored.has("a");
  receipts.answered({ rooms: { a: "start" } });

  assertEquals([silent, stored.get("a")?.cursor], [false, "start"]);
  receipts.close();
});

Deno.test("G2 a receipt that was earned before stays, however long the next answer takes", async () => {
  const { clock, stored, receipts } = open();
  receipts.begin(owner, { cursor: "earned", earned: true, detach });
  await turn();

  clock.advance(60_000);
  receipts.close();

  assertEquals(stored.get("a")?.cursor, "earned");
});

Deno.test("answers that come many pings late still confirm, because pings wait for answers", async () => {
  const { clock, stored, receipts, written } = open();
  receipts.begin(owner, { cursor: "0", earned: false, detach });
  for (let second = 1; second <= 20; second++) {
    await turn();
    receipts.moved("a", String(second));
  }
  await turn();

  receipts.answered({ rooms: { a: "0" } });
  receipts.answered({ rooms: { a: "7" } });
  receipts.close();

  assertEquals(written.join("").match(/ping/g)?.length, 8);
  assertEquals(stored.get("a")?.cursor, "7");
  clock.advance(10_000);
});
