import { assertEquals } from "@std/assert";
import { type Receipt, RECEIPT_TTL_MS } from "../../src/core/engine.ts";
import { MemoryReceipts } from "../../src/engines/memory_receipts.ts";

const receipt = (operationId: string): Receipt => ({
  operationId,
  cursor: "c",
  fingerprint: "f",
  userId: "ann",
  sessionId: "s",
  rooms: [],
  answered: true,
});

function openReceipts(maxReceipts = 10) {
  const time = { ms: 0 };
  return { time, receipts: new MemoryReceipts({ now: () => time.ms, maxReceipts }) };
}

Deno.test("memory receipts are bounded, and the one longest unwritten goes first", () => {
  const { receipts } = openReceipts(2);
  receipts.put([receipt("a"), receipt("b")]);
  receipts.put([receipt("a")]);
  receipts.put([receipt("c")]);

  assertEquals(["a", "b", "c"].map((id) => receipts.get(id) !== undefined), [true, false, true]);
});

Deno.test("memory receipts are bounded also when more are written at once", () => {
  const { receipts } = openReceipts(2);
  receipts.put(["a", "b", "c"].map(receipt));

  assertEquals(["a", "b", "c"].map((id) => receipts.get(id) !== undefined), [false, true, true]);
});

Deno.test("memory receipts whose time has passed are freed by the sweep, and no others", () => {
  const { time, receipts } = openReceipts();
  receipts.put([receipt("a"), receipt("b")]);
  time.ms = RECEIPT_TTL_MS - 1;
  receipts.put([receipt("a")]);
  receipts.sweep();
  const before = receipts.size;
  time.ms = RECEIPT_TTL_MS;

  receipts.sweep();

  assertEquals([before, receipts.size, receipts.get("a")], [2, 1, receipt("a")]);
});
