import type { Cancel, Clock } from "../core/clock.ts";
import type { FrameNotice } from "../graphql/live_frame.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import type { Outbox } from "./outbox.ts";
import type { KeptOperation, ReceiptKeeper } from "./receipt_keeper.ts";
import type { ReceiptOwner } from "./receipt_owner.ts";

/** What one connection's receipts need. */
export interface SocketReceiptsDeps {
  readonly keeper: ReceiptKeeper;
  readonly outbox: Outbox;
  readonly flushes: FlushQueue;
  readonly clock: Clock;
}

/** Where an operation begins. */
export interface ReceiptBeginning {
  readonly cursor: string;
  /** Whether that is where its client left off on an earlier connection, on which it answered. */
  readonly earned: boolean;
  /** Ends it where it runs, because its client has come back elsewhere. */
  readonly detach: () => void;
  /** Where what has been sent so far brings its client. */
  readonly sent: () => string;
}

/** A kept operation, and the pings that told of it and have not been answered. */
interface PingedOperation extends KeptOperation {
  readonly pinged: string[];
  earned: boolean;
  readonly sent: () => string;
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
  readonly #operations = new Map<string, PingedOperation>();
  /** Operations that the next Ping tells of. */
  readonly #moved = new Set<string>();
  /** What the next Ping says of losses, unless a frame says it first. */
  readonly #notices = new Map<string, FrameNotice>();
  #continued: Continued | undefined;
  #scheduled = false;
  #pingedAtMs = -Infinity;
  #cancelPause: Cancel | undefined;
  #answered = false;
  #cancelWait: Cancel | undefined;
  #silent = false;
  /** What the last Ping told, and who waits for it to be confirmed. */
  #last: { readonly rooms: ReadonlyMap<string, string>; readonly onAnswer: () => void } | undefined;

  constructor(deps: SocketReceiptsDeps) {
    this.#deps = deps;
  }

  /** Keeps an operation from the cursor where it begins; the first Ping confirms it. */
  begin(owner: ReceiptOwner, { cursor, earned, detach, sent }: ReceiptBeginning): void {
    const operation: PingedOperation = { owner, confirmed: cursor, pinged: [], earned, detach, sent };
    this.#operations.set(owner.operationId, operation);
    if (earned || !this.#silent) this.#deps.keeper.keep(operation);
    this.moved(owner.operationId);
  }

  /** Notes that an operation is further than the last Ping said. */
  moved(operationId: string): void {
    if (!this.#operations.has(operationId)) return;
    this.#moved.add(operationId);
    this.#schedule();
  }

  /** Notes what the next frame of an operation will say of losses, for the next Ping. */
  notice(operationId: string, notice: FrameNotice): void {
    if (!this.#operations.has(operationId)) return;
    this.#notices.set(operationId, notice);
    this.#schedule();
  }

  /** A frame has said it. */
  noticed(operationId: string): void {
    this.#notices.delete(operationId);
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
    for (const [operationId, cursor] of Object.entries(rooms)) {
      const operation = this.#operations.get(operationId);
      const index = operation?.pinged.indexOf(cursor) ?? -1;
      if (operation === undefined || index === -1) continue;
      operation.pinged.splice(0, index + 1);
      operation.earned = true;
      this.#deps.keeper.confirm(operation, cursor);
    }
    if (this.#moved.size > 0) this.#schedule();
    this.#lookForLast();
  }

  /** The operation has ended: its client does not come back to it. */
  end(operationId: string): void {
    const operation = this.#take(operationId);
    if (operation !== undefined) this.#deps.keeper.drop(operation);
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
    for (const [operationId, operation] of this.#operations) {
      const sent = operation.sent();
      if (sent !== operation.confirmed && operation.pinged.push(sent) > 0) rooms.set(operationId, sent);
    }
    if (rooms.size === 0) return undefined;
    this.#last = { rooms, onAnswer };
    return this.#compose(rooms);
  }

  /** The connection has ended: the clients of its operations may come back. */
  close(): void {
    this.#cancelWait?.();
    this.#cancelPause?.();
    this.#last = undefined;
    for (const operation of this.#operations.values()) this.#deps.keeper.release(operation);
    this.#operations.clear();
    this.#moved.clear();
    this.#notices.clear();
  }

  flush(): void {
    this.#scheduled = false;
    const moved: [string, string][] = [];
    for (const operationId of this.#moved) {
      const { pinged, sent } = this.#operations.get(operationId)!;
      // It is told once earlier ones have been answered.
      if (pinged.length >= MAX_PINGED) continue;
      this.#moved.delete(operationId);
      // Where it is at this moment: frames that went out since it was noted stand before this Ping.
      const cursor = sent();
      pinged.push(cursor);
      moved.push([operationId, cursor]);
    }
    if (moved.length === 0 && this.#notices.size === 0) return;
    const { outbox, clock } = this.#deps;
    outbox.sendText(this.#compose(moved));
    this.#pingedAtMs = clock.now();
    if (this.#cancelWait === undefined) this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    this.#cancelWait = this.#deps.clock.after(ANSWER_MS, () => this.#giveUp());
  }

  /** The next Ping goes out with this turn, or a pause after the last one. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { clock, flushes } = this.#deps;
    const pauseMs = this.#pingedAtMs + PAUSE_MS - clock.now();
    if (pauseMs <= 0) flushes.add(this);
    // At most one pause: the clock may have been set back.
    else this.#cancelPause = clock.after(Math.min(pauseMs, PAUSE_MS), () => flushes.add(this));
  }

  #compose(moved: Iterable<readonly [string, string]>): string {
    const notices = [...this.#notices];
    this.#notices.clear();
    const recovered = notices.filter(([, { recovered }]) => recovered === true).map(([id]) => id);
    const gap = notices.filter(([, { recovered, gap }]) => recovered === false || gap === true).map(([id]) => id);
    const payload: PingPayload = {
      rooms: Object.fromEntries(moved),
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
    for (const operation of this.#operations.values()) {
      if (!operation.earned) this.#deps.keeper.drop(operation);
    }
  }

  #take(operationId: string): PingedOperation | undefined {
    const operation = this.#operations.get(operationId);
    this.#operations.delete(operationId);
    this.#moved.delete(operationId);
    this.#notices.delete(operationId);
    return operation;
  }
}
