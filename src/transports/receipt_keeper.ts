import type { Cancel, Clock } from "../core/clock.ts";
import { type Receipt, RECEIPT_TTL_MS, type Receipts } from "../core/engine.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { isReceiptOf, type Kept, receiptOf, type ReceiptOwner } from "./receipt_owner.ts";

/** What keeping receipts needs. */
export interface ReceiptKeeperDeps {
  readonly receipts: Receipts;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** A running operation whose client may come back without saying how far it got. */
export interface KeptOperation extends Kept {
  confirmed: string;
  /** Ends it where it runs, because its client has come back elsewhere. */
  detach(): void;
}

/** How long changed receipts wait to be written together. */
const WRITE_MS = 5_000;
/** Twice in a receipt's life, so that one lost write does not end it. */
const REWRITE_MS = RECEIPT_TTL_MS / 2;
/** Only ids that were made to be unique can tell a client by itself. */
const UNIQUE_ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/**
 * This node's operations that can be resumed by their id alone, and their receipts.
 *
 * New receipts are written at once, changed ones together every few seconds, those of a
 * connection that ends at its end, and all of them again once a minute.
 */
export class ReceiptKeeper {
  readonly #deps: ReceiptKeeperDeps;
  readonly #operations = new Map<string, KeptOperation>();
  #changed = new Set<KeptOperation>();
  #cancelWrite: Cancel | undefined;
  #cancelRewrite: Cancel | undefined;

  constructor(deps: ReceiptKeeperDeps) {
    this.#deps = deps;
  }

  /** Begins to rewrite. Called once. */
  open(): void {
    this.#cancelRewrite = this.#deps.clock.every(REWRITE_MS, () => this.#write([...this.#operations.values()]));
  }

  /** Writes nothing any more. */
  close(): void {
    this.#cancelWrite?.();
    this.#cancelRewrite?.();
  }

  /** Operations that are kept now. */
  get size(): number {
    return this.#operations.size;
  }

  /** Whether an operation of this id can be resumed by it. */
  keeps(operationId: string): boolean {
    return UNIQUE_ID.test(operationId);
  }

  /**
   * How far the client of this operation got before it came back: undefined when it does
   * not come back, "unreadable" when the engine cannot tell. An operation of that id that still runs is detached: its connection is gone,
   * and nobody has noticed yet.
   */
  async recall(owner: ReceiptOwner): Promise<Receipt | "unreadable" | undefined> {
    const running = this.#operations.get(owner.operationId);
    if (running !== undefined) {
      const receipt = receiptOf(running);
      if (isReceiptOf(receipt, owner)) {
        // Its receipt stays: it is the one that comes back that goes on with it.
        this.release(running);
        running.detach();
        return receipt;
      }
    }
    try {
      const receipt = await this.#deps.receipts.get(owner.operationId);
      return receipt !== undefined && isReceiptOf(receipt, owner) ? receipt : undefined;
    } catch (error) {
      this.#report("receipt.read_failed", error);
      return "unreadable";
    }
  }

  /** Keeps an operation from where it begins. */
  keep(operation: KeptOperation): void {
    this.#operations.set(operation.owner.operationId, operation);
    this.#write([operation]);
  }

  /** Notes that the client has got further. */
  confirm(operation: KeptOperation, cursor: string): void {
    operation.confirmed = cursor;
    if (!this.#operations.has(operation.owner.operationId)) return this.keep(operation);
    this.#changed.add(operation);
    this.#cancelWrite ??= this.#deps.clock.after(WRITE_MS, () => {
      this.#cancelWrite = undefined;
      const changed = [...this.#changed];
      this.#changed = new Set();
      this.#write(changed);
    });
  }

  /** The connection of an operation has ended: its client may come back. */
  release(operation: KeptOperation): void {
    if (this.#forget(operation)) this.#write([operation]);
  }

  /** The operation has ended, or its client answers no pings: there is nothing to come back to. */
  drop(operation: KeptOperation): void {
    if (!this.#forget(operation)) return;
    this.#deps.receipts.remove([operation.owner.operationId])
      .catch((error: unknown) => this.#report("receipt.write_failed", error));
  }

  #forget(operation: KeptOperation): boolean {
    this.#changed.delete(operation);
    const { operationId } = operation.owner;
    return this.#operations.get(operationId) === operation && this.#operations.delete(operationId);
  }

  #write(operations: readonly KeptOperation[]): void {
    if (operations.length === 0) return;
    this.#deps.receipts.put(operations.map(receiptOf))
      .catch((error: unknown) => this.#report("receipt.write_failed", error));
  }

  #report(event: string, error: unknown): void {
    this.#deps.telemetry.record("warn", event, { error: describeError(error) });
  }
}
