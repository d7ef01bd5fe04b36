import type { Cancel, Clock } from "../core/clock.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import type { Outbox } from "./outbox.ts";
import type { KeptOperation, ReceiptKeeper, ReceiptOwner } from "./receipt_keeper.ts";

/** What one connection's receipts need. */
export interface SocketReceiptsDeps {
  readonly keeper: ReceiptKeeper;
  readonly outbox: Outbox;
  readonly flushes: FlushQueue;
  readonly clock: Clock;
}

/** A kept operation, and the pings that told of it and have not been answered. */
interface PingedOperation extends KeptOperation {
  readonly pinged: string[];
  /** Whether its client has ever answered: on this connection, or on the one it comes back from. */
  earned: boolean;
}

/** Where an operation begins. */
export interface ReceiptBeginning {
  readonly cursor: string;
  /** Whether that is where a receipt of an earlier connection left off. */
  readonly earned: boolean;
  /** Ends it where it runs, because its client has come back elsewhere. */
  readonly detach: () => void;
}

/** How long a client has to answer its first ping, in milliseconds. */
const ANSWER_MS = 5_000;
/** Unanswered pings of one operation; until one is answered there are no more. */
const MAX_PINGED = 8;

/**
 * Delivery receipts of one connection, by the protocol's own Ping and Pong.
 *
 * A Ping lists the operations that have moved, each with its cursor, and goes out behind
 * the frames it tells of. A stock client sends the same payload back: what it lists has
 * arrived. Nothing else in a Pong is believed.
 */
export class SocketReceipts implements Flushable {
  readonly #deps: SocketReceiptsDeps;
  readonly #operations = new Map<string, PingedOperation>();
  #moved = new Map<string, string>();
  #answered = false;
  #cancelWait: Cancel | undefined;
  #silent = false;

  constructor(deps: SocketReceiptsDeps) {
    this.#deps = deps;
  }

  /** Keeps an operation from the cursor where it begins; the first Ping confirms it. */
  begin(owner: ReceiptOwner, { cursor, earned, detach }: ReceiptBeginning): void {
    const operation: PingedOperation = { owner, confirmed: cursor, pinged: [], earned, detach };
    this.#operations.set(owner.operationId, operation);
    if (earned || !this.#silent) this.#deps.keeper.keep(operation);
    this.moved(owner.operationId, cursor);
  }

  /** Notes where an operation is now, for the next Ping. */
  moved(operationId: string, cursor: string): void {
    if (!this.#operations.has(operationId)) return;
    if (this.#moved.size === 0) this.#deps.flushes.add(this);
    this.#moved.set(operationId, cursor);
  }

  /** Takes what a client sent back. */
  answered(payload: Readonly<Record<string, unknown>> | undefined): void {
    const rooms = payload?.rooms;
    if (typeof rooms !== "object" || rooms === null) return;
    this.#answered = true;
    this.#silent = false;
    for (const [operationId, cursor] of Object.entries(rooms)) {
      const operation = this.#operations.get(operationId);
      const index = operation?.pinged.indexOf(cursor) ?? -1;
      if (operation === undefined || index === -1) continue;
      operation.pinged.splice(0, index + 1);
      operation.earned = true;
      this.#deps.keeper.confirm(operation, cursor);
    }
  }

  /** The operation has ended: its client does not come back to it. */
  end(operationId: string): void {
    const operation = this.#take(operationId);
    if (operation !== undefined) this.#deps.keeper.drop(operation);
  }

  /** The connection has ended: the clients of its operations may come back. */
  close(): void {
    this.#cancelWait?.();
    for (const operation of this.#operations.values()) this.#deps.keeper.release(operation);
    this.#operations.clear();
    this.#moved.clear();
  }

  flush(): void {
    if (this.#moved.size === 0) return;
    const moved = [...this.#moved].filter(([operationId, cursor]) => {
      const { pinged } = this.#operations.get(operationId)!;
      return pinged.length < MAX_PINGED && pinged.push(cursor) > 0;
    });
    this.#moved = new Map();
    if (moved.length === 0) return;
    const rooms = Object.fromEntries(moved);
    this.#deps.outbox.sendText(JSON.stringify({ type: "ping", payload: { rooms } }));
    this.#cancelWait ??= this.#deps.clock.after(ANSWER_MS, () => this.#giveUp());
  }

  /**
   * A client that answers no Ping can give no receipts: none is better than one that
   * never moves. What it has earned before stays, for its network may only be slow; and
   * an answer that comes late brings the others back.
   */
  #giveUp(): void {
    if (this.#answered) return;
    this.#silent = true;
    for (const operation of this.#operations.values()) {
      if (!operation.earned) this.#deps.keeper.drop(operation);
    }
  }

  #take(operationId: string): PingedOperation | undefined {
    const operation = this.#operations.get(operationId);
    this.#operations.delete(operationId);
    this.#moved.delete(operationId);
    return operation;
  }
}
