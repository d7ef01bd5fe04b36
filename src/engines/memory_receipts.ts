import { type Receipt, RECEIPT_TTL_MS } from "../core/engine.ts";

/** What the memory of receipts needs. */
export interface MemoryReceiptsDeps {
  /** Steady milliseconds. */
  readonly now: () => number;
  /** Receipts kept at once; the one longest unwritten is forgotten first. */
  readonly maxReceipts: number;
}

interface Kept {
  readonly receipt: Receipt;
  readonly expiresAtMs: number;
}

/** The receipts of all nodes, in the order of their last write. */
export class MemoryReceipts {
  readonly #deps: MemoryReceiptsDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: MemoryReceiptsDeps) {
    this.#deps = deps;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  put(receipts: readonly Receipt[]): void {
    const expiresAtMs = this.#deps.now() + RECEIPT_TTL_MS;
    for (const receipt of receipts) {
      // Taken out first, so that the order of the map is the order of writing.
      this.#kept.delete(receipt.operationId);
      this.#kept.set(receipt.operationId, { receipt, expiresAtMs });
    }
    for (const operationId of this.#kept.keys()) {
      if (this.#kept.size <= this.#deps.maxReceipts) break;
      this.#kept.delete(operationId);
    }
  }

  get(operationId: string): Receipt | undefined {
    const kept = this.#kept.get(operationId);
    return kept === undefined || kept.expiresAtMs <= this.#deps.now() ? undefined : kept.receipt;
  }

  remove(operationIds: readonly string[]): void {
    for (const operationId of operationIds) this.#kept.delete(operationId);
  }

  /** Frees those whose time has passed: all stand before the first whose time has not. */
  sweep(): void {
    const now = this.#deps.now();
    for (const [operationId, { expiresAtMs }] of this.#kept) {
      if (expiresAtMs > now) return;
      this.#kept.delete(operationId);
    }
  }
}
