import type { Cancel, Clock } from "../core/clock.ts";
import { SmallMap } from "../core/small_map.ts";
import type { FrameNotice } from "../graphql/live_frame.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import type { Outbox } from "./outbox.ts";
import { PingedOperation, type ReceiptBeginning } from "./pinged_operation.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import type { ReceiptOwner } from "./receipt_owner.ts";

/** What one connection's receipts need. */
export interface SocketReceiptsDeps {
  readonly keeper: ReceiptKeeper;
  readonly outbox: Outbox;
  readonly flushes: FlushQueue;
  readonly clock: Clock;
}

/** What a Ping says: where operations are, and of which ones all or not all was recovered. */
interface PingPayload {
  readonly rooms: Readonly<Record<string, string>>;
  readonly recovered?: readonly string[];
  readonly gap?: readonly string[];
  readonly sessionId?: string;
  readonly userId?: string;
}

/** The session of an earlier connection, and its user. */
export interface Continued {
  readonly sessionId: string;
  readonly userId: string;
}

/** How long a client has to answer its first ping, in milliseconds. */
const ANSWER_MS = 5_000;
/** The least time between two pings, in milliseconds. Less than between two tellings, which pace them. */
const PAUSE_MS = 900;
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
  readonly #operations = new SmallMap<string, PingedOperation>();
  #continued: Continued | undefined;
  #scheduled = false;
  #pingedAtMs: number | undefined;
  #cancelPause: Cancel | undefined;
  #answered = false;
  /** Set while it is being waited for the first answer. */
  #cancelWait: Cancel | undefined;
  #silent = false;
  /** What the last Ping told, and who waits for it to be confirmed. */
  #last: { readonly rooms: ReadonlyMap<string, string>; readonly onAnswer: () => void } | undefined;

  constructor(deps: SocketReceiptsDeps) {
    this.#deps = deps;
  }

  /** Keeps an operation from the cursor where it begins; the first Ping confirms it. */
  begin(owner: ReceiptOwner, beginning: ReceiptBeginning): void {
    const operation = new PingedOperation(owner, beginning);
    this.#operations.set(owner.operationId, operation);
    if (operation.earned || !this.#silent) this.#deps.keeper.keep(operation);
    this.moved(owner.operationId);
  }

  /** Notes that an operation is further than the last Ping said. */
  moved(operationId: string): void {
    const operation = this.#operations.get(operationId);
    if (operation === undefined) return;
    operation.moved = true;
    this.#schedule();
  }

  /** Notes what the next frame of an operation will say of losses, for the next Ping. */
  notice(operationId: string, notice: FrameNotice): void {
    const operation = this.#operations.get(operationId);
    if (operation === undefined) return;
    operation.notice = notice;
    this.#schedule();
  }

  /** A frame has said it. */
  noticed(operationId: string): void {
    const operation = this.#operations.get(operationId);
    if (operation !== undefined) operation.notice = undefined;
  }

  /** Says with the next Ping in which session its client goes on, instead of what the ConnectionAck said. */
  continued(continued: Continued): void {
    this.#continued = continued;
  }

  /** Takes what a client sent back. */
  answered(payload: Readonly<Record<string, unknown>> | undefined): void {
    const rooms = payload?.rooms;
    if (typeof rooms !== "object" || rooms === null) return;
    this.#answered = true;
    this.#silent = false;
    this.#endWait();
    for (const [operationId, answered] of Object.entries(rooms)) {
      const operation = this.#operations.get(operationId);
      const index = operation?.pinged.indexOf(answered) ?? -1;
      if (operation === undefined || index === -1) continue;
      // Our own text: the client's copy of it would be kept beside it.
      const cursor = operation.pinged[index]!;
      operation.forget(index + 1);
      operation.earned = true;
      this.#deps.keeper.confirm(operation, cursor);
    }
    if (this.#all().some(({ moved }) => moved)) this.#schedule();
    this.#lookForLast();
  }

  /** The operation has ended: its client does not come back to it. */
  end(operationId: string): void {
    const operation = this.#operations.get(operationId);
    if (operation === undefined) return;
    this.#operations.delete(operationId);
    this.#deps.keeper.drop(operation);
  }

  /**
   * The Ping to send before the connection is closed: everything that has been sent.
   * Undefined when there is nothing to confirm, or nobody who would.
   *
   * `onAnswer` is called once all of it has been confirmed.
   */
  lastPing(onAnswer: () => void): string | undefined {
    if (this.#silent) return undefined;
    const rooms = new Map<string, string>();
    for (const operation of this.#operations.values()) {
      const sent = operation.sent();
      if (sent === operation.confirmed) continue;
      operation.ping(sent);
      rooms.set(operation.owner.operationId, sent);
    }
    if (rooms.size === 0) return undefined;
    this.#last = { rooms, onAnswer };
    return this.#compose(rooms);
  }

  /** The connection has ended: the clients of its operations may come back. */
  close(): void {
    this.#endWait();
    this.#cancelPause?.();
    this.#last = undefined;
    for (const operation of this.#operations.values()) this.#deps.keeper.release(operation);
    this.#operations.clear();
  }

  flush(): void {
    this.#scheduled = false;
    const rooms = new Map<string, string>();
    let hasNotice = false;
    for (const operation of this.#operations.values()) {
      if (operation.notice !== undefined) hasNotice = true;
      // It is told once earlier ones have been answered.
      if (!operation.moved || operation.pinged.length >= MAX_PINGED) continue;
      operation.moved = false;
      // Where it is at this moment: frames that went out since it was noted stand before this Ping.
      const cursor = operation.sent();
      operation.ping(cursor);
      rooms.set(operation.owner.operationId, cursor);
    }
    if (rooms.size === 0 && !hasNotice) return;
    const { outbox, clock } = this.#deps;
    outbox.sendText(this.#compose(rooms));
    this.#pingedAtMs = clock.now();
    if (!this.#answered && !this.#silent && this.#cancelWait === undefined) this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    this.#cancelWait = this.#deps.clock.after(ANSWER_MS, () => this.#giveUp());
  }

  #endWait(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  /** The next Ping goes out with this turn, or a pause after the last one. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { clock, flushes } = this.#deps;
    const pauseMs = (this.#pingedAtMs ?? -Infinity) + PAUSE_MS - clock.now();
    if (pauseMs <= 0) flushes.add(this);
    // At most one pause: the clock may have been set back.
    else this.#cancelPause = clock.after(Math.min(pauseMs, PAUSE_MS), () => flushes.add(this));
  }

  #compose(rooms: ReadonlyMap<string, string>): string {
    const recovered: string[] = [];
    const gap: string[] = [];
    for (const operation of this.#operations.values()) {
      const { notice, owner: { operationId } } = operation;
      if (notice === undefined) continue;
      operation.notice = undefined;
      if (notice.recovered === true) recovered.push(operationId);
      if (notice.recovered === false || notice.gap === true) gap.push(operationId);
    }
    const payload: PingPayload = {
      rooms: Object.fromEntries(rooms),
      ...(recovered.length === 0 ? {} : { recovered }),
      ...(gap.length === 0 ? {} : { gap }),
      ...this.#continued,
    };
    this.#continued = undefined;
    return JSON.stringify({ type: "ping", payload });
  }

  #lookForLast(): void {
    if (this.#last === undefined) return;
    const { rooms, onAnswer } = this.#last;
    for (const [operationId, cursor] of rooms) {
      const operation = this.#operations.get(operationId);
      if (operation !== undefined && operation.confirmed !== cursor) return;
    }
    this.#last = undefined;
    onAnswer();
  }

  /**
   * A client that answers no Ping can give no receipts: none is better than one that
   * never moves. What it has earned before stays, for its network may only be slow; and
   * an answer that comes late brings the others back.
   */
  #giveUp(): void {
    if (this.#answered) return;
    // The Ping has not even left us: that says nothing of its client.
    if (this.#deps.outbox.waiting > 0) return this.#awaitAnswer();
    this.#silent = true;
    this.#endWait();
    for (const operation of this.#operations.values()) {
      if (!operation.earned) this.#deps.keeper.drop(operation);
    }
  }

  #all(): readonly PingedOperation[] {
    return [...this.#operations.values()];
  }
}
