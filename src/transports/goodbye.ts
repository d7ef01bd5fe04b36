import type { Cancel, Clock } from "../core/clock.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import type { HeardSocket } from "./heard_socket.ts";
import type { Outbox } from "./outbox.ts";
import type { SocketReceipts } from "./socket_receipts.ts";

/** Why and how a connection ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** What saying goodbye needs of a connection. */
export interface GoodbyeDeps {
  readonly webSocket: HeardSocket;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly receipts: SocketReceipts;
}

/** How long a client may take to answer the last Ping before it is sent away, in milliseconds. */
const LAST_PONG_MS = 1_000;
/** How long a peer may take to answer our close before it is cut off, in milliseconds. */
export const CLOSE_GRACE_MS = 1_000;
/** Closes that clients come back from: their receipts are worth a last Ping. */
const PLANNED_CLOSES: ReadonlySet<number> = new Set([
  CLOSE_CODES.serviceRestart,
  CLOSE_CODES.tryAgainLater,
  CLOSE_CODES.tokenExpired,
]);
/** A close reason has to fit into a control frame (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * A connection's close from our side: what is still to say, then goodbye.
 *
 * A client that comes back is first asked what has reached it, and gets a moment to
 * answer. A peer that does not go is cut off.
 */
export class Goodbye {
  readonly end: SocketEnd;
  readonly #deps: GoodbyeDeps;
  #cancel: Cancel | undefined;

  constructor(end: SocketEnd, deps: GoodbyeDeps) {
    this.end = end;
    this.#deps = deps;
  }

  /** Begins it. Called once. */
  say(): void {
    const { clock, outbox, receipts } = this.#deps;
    const close = (): void => this.#close();
    const last = PLANNED_CLOSES.has(this.end.code) ? receipts.lastPing(close) : undefined;
    outbox.end(last);
    if (last === undefined) close();
    else this.#cancel = clock.after(LAST_PONG_MS, close);
  }

  /** The socket has closed. */
  cancel(): void {
    this.#cancel?.();
  }

  #close(): void {
    const { webSocket, clock } = this.#deps;
    this.#cancel?.();
    // First of all the end that needs nobody's help.
    this.#cancel = clock.after(CLOSE_GRACE_MS, () => webSocket.terminate());
    // A peer that keeps sending after our close is not listened to any more.
    webSocket.deafen();
    webSocket.close(this.end.code, shorten(this.end.reason));
  }
}

/** As much of the reason as fits, cut between characters. */
function shorten(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  return reason.slice(0, read);
}
