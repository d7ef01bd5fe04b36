import { assertEquals } from "@std/assert";
import type { Receipt } from "../../src/core/engine.ts";
import { MemoryReceipts } from "../../src/engines/memory_receipts.ts";

const receipt = (operationId: string, cursor = "c"): Receipt => ({
  operationId,
  cursor,
  fingerprint: "f",
  userId: null,
});

function openReceipts(maxReceipts = 10) {
  const time = { ms: 0 };
  return { time, receipts: new MemoryReceipts({ now: () => time.ms, maxReceipts }) };
}

Deno.test("a receipt is kept for two minutes from its last write", () => {
  const { time, receipts } = openReceipts();
  receipts.put([receipt("a", "one"), receipt("b")]);
  time.ms = 119_999;
  receipts.put([receipt("a", "two")]);
  time.ms = 120_000;

  assertEquals([receipts.get("a")?.cursor, receipts.get("b")], ["two", undefined]);
  receipts.sweep();
  assertEquals(receipts.size, 1);
});

Deno.test("receipts are bounded, and the one longest unwritten goes first", () => {
  const { receipts } = openReceipts(2);
  receipts.put([receipt("a"), receipt("b")]);
  receipts.put([receipt("a")]);
  receipts.put([receipt("c")]);

  assertEquals(["a", "b", "c"].map((id) => receipts.get(id) !== undefined), [true, false, true]);
});

Deno.test("a removed receipt is gone, and removing it again is nothing", () => {
  const { receipts } = openReceipts();
  receipts.put([receipt("a")]);

  receipts.remove(["a", "unknown"]);
  receipts.remove(["a"]);

  assertEquals([receipts.get("a"), receipts.size], [undefined, 0]);
});
