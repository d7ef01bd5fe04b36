import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock } from "../core/clock.ts";
import type { ConnectionEnd, SessionConnection } from "../core/sessions.ts";
import type { FlushQueue } from "./flush_queue.ts";
import type { Pulse } from "./heartbeat.ts";
import type { Guest } from "./identify.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import type { Deflater } from "./deflater.ts";
import type { FrameBatch } from "./frame_batch.ts";
import { Outbox } from "./outbox.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import type { ResumeEntries } from "./resume_entries.ts";
import { RunningOperation } from "./running_operation.ts";
import type { SocketCaller } from "./socket_caller.ts";
import { SocketReceipts } from "./socket_receipts.ts";
import { Turnstile } from "./turnstile.ts";

/** What a connection needs. */
export interface SocketConnectionDeps {
  readonly id: string;
  readonly webSocket: WebSocket;
  /** The TCP socket the upgrade came on; the outbox writes to it beside `webSocket`. */
  readonly socket: Duplex;
  readonly request: IncomingMessage;
  readonly guest: Guest;
  readonly clock: Clock;
  readonly flushes: FlushQueue;
  readonly batch: FrameBatch;
  /** Undefined when the client has not agreed to permessage-deflate. */
  readonly deflater: Deflater | undefined;
  readonly outboxBytes: number;
  readonly keeper: ReceiptKeeper;
}

/** A connection's part in its session. */
export interface SocketSession extends SessionConnection {
  /** Whether the session began with it: then only a receipt can say what it had joined. */
  readonly isNew: boolean;
}

/** Why and how a connection ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** How long a client may take to answer the last Ping before it is sent away, in milliseconds. */
const LAST_PONG_MS = 1_000;
/** How long a peer may take to answer our close before it is cut off, in milliseconds. */
const CLOSE_GRACE_MS = 1_000;
/** Closes that clients come back from: their receipts are worth a last Ping. */
const PLANNED_CLOSES: ReadonlySet<number> = new Set([CLOSE_CODES.serviceRestart, CLOSE_CODES.tryAgainLater]);
/** Queries and mutations of one connection that run at once. */
const MAX_EXECUTIONS = 32;
/** `WebSocket.OPEN` (WebSockets standard). */
const OPEN = 1;
/** A close reason has to fit into a control frame (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * One WebSocket, from upgrade to close.
 *
 * Keeps its own list of operations: what makeServer keeps loses entries when an id is
 * reused quickly, so nothing here relies on it for cleaning up.
 */
export class SocketConnection implements Pulse {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly guest: Guest;
  readonly outbox: Outbox;
  readonly receipts: SocketReceipts;
  /** Queries and mutations that run; what they have answered may wait for the reader. */
  readonly executions = new Turnstile(MAX_EXECUTIONS);
  /** Subscriptions that run or are being begun. */
  subscriptions = 0;
  silentPings = 0;
  /** Set once connection_init has been accepted. */
  caller: SocketCaller | undefined;
  session: SocketSession | undefined;
  /** Whether the client named its session when it connected. */
  namesSession = false;
  /** Whether a subscription has begun: its user is settled from then on. */
  isFollowing = false;
  /** While it is being found out whether a subscription continues an earlier session. */
  continuing: Promise<unknown> | undefined;
  /** Where its client left off before, in its own words. */
  resume: ResumeEntries | undefined;
  /** Why our side closes, when it does; the peer's view of it may differ. */
  ending: SocketEnd | undefined;
  closed = false;
  readonly #deps: SocketConnectionDeps;
  readonly #operations = new Map<string, RunningOperation>();
  #cancelCut: (() => void) | undefined;
  #silent = false;

  constructor(deps: SocketConnectionDeps) {
    this.#deps = deps;
    this.id = deps.id;
    this.request = deps.request;
    this.guest = deps.guest;
    this.outbox = new Outbox({
      socket: deps.socket,
      flushes: deps.flushes,
      batch: deps.batch,
      deflater: deps.deflater,
      isOpen: () => deps.webSocket.readyState === OPEN,
      maxBytes: deps.outboxBytes,
      onOverflow: () => this.end(CLOSE_CODES.tryAgainLater, "slow reader"),
    });
    this.receipts = new SocketReceipts({ ...deps, outbox: this.outbox });
  }

  /** What the membership of this connection's session is told when it ends. */
  get endReason(): ConnectionEnd {
    return this.#silent ? "TIMEOUT" : "DISCONNECTED";
  }

  /** How many operations run or are being begun. */
  get running(): number {
    return this.#operations.size;
  }

  /** The operation that has this id now. */
  operation(id: string): RunningOperation | undefined {
    return this.#operations.get(id);
  }

  /** Takes an id that is free for a new operation. */
  start(id: string, isSubscription: boolean): RunningOperation {
    const operation = new RunningOperation((ended) => {
      if (isSubscription) {
        this.subscriptions--;
        this.receipts.end(id);
      }
      // The id may have been taken again since.
      if (this.#operations.get(id) === ended) this.#operations.delete(id);
    });
    if (isSubscription) this.subscriptions++;
    this.#operations.set(id, operation);
    return operation;
  }

  /**
   * Closes from our side: says what is still to say, then goodbye. The first call counts.
   *
   * A client that comes back is first asked what has reached it, and gets a moment to
   * answer. A peer that does not go is cut off.
   */
  end(code: number, reason: string): void {
    if (this.closed || this.ending !== undefined) return;
    this.ending = { code, reason };
    const goodbye = (): void => this.#close(code, reason);
    const last = PLANNED_CLOSES.has(code) ? this.receipts.lastPing(goodbye) : undefined;
    this.outbox.end(last);
    if (last === undefined) goodbye();
    else this.#cancelCut = this.#deps.clock.after(LAST_PONG_MS, goodbye);
  }

  ping(): void {
    this.#deps.webSocket.ping();
  }

  onSilent(): void {
    this.#silent = true;
    this.#deps.webSocket.terminate();
  }

  #close(code: number, reason: string): void {
    const { webSocket, clock } = this.#deps;
    this.#cancelCut?.();
    // First of all the end that needs nobody's help.
    this.#cancelCut = clock.after(CLOSE_GRACE_MS, () => webSocket.terminate());
    // A peer that keeps sending after our close is not listened to any more.
    webSocket.removeAllListeners("message");
    webSocket.close(code, shorten(reason));
  }

  /** Frees everything the connection holds. Called once, by the socket's one close listener. */
  release(): void {
    this.closed = true;
    this.#cancelCut?.();
    this.outbox.close();
    // Before the operations are ended: that would be the end of their receipts.
    this.receipts.close();
    for (const operation of [...this.#operations.values()]) operation.end(this.endReason);
    this.session?.close(this.endReason);
  }
}

/** As much of the reason as fits, cut between characters. */
function shorten(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  return reason.slice(0, read);
}
