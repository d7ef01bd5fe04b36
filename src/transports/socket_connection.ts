import type { Socket } from "node:net";
import type { Server } from "graphql-ws";
import { ulid } from "@std/ulid";
import type { Principal } from "../core/auth.ts";
import type { Cancel, Clock } from "../core/clock.ts";
import type { Expiries, Expiring } from "../core/expiries.ts";
import { allowanceOf } from "../core/message_rates.ts";
import type { ConnectionEnd, SessionConnection, SessionPeer } from "../core/sessions.ts";
import { SmallMap } from "../core/small_map.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { type ClientMessage, readClientMessage } from "./client_message.ts";
import { CLOSE_CODES } from "./close_codes.ts";
import type { Deflater } from "./deflater.ts";
import type { FlushQueue } from "./flush_queue.ts";
import type { FrameBatch } from "./frame_batch.ts";
import { Goodbye, type GoodbyeDeps, type SocketEnd } from "./goodbye.ts";
import type { HeardSocket, SocketListener } from "./heard_socket.ts";
import type { Pulse } from "./heartbeat.ts";
import type { Arrival } from "./identify.ts";
import { Outbox, type OutboxDeps } from "./outbox.ts";
import { ProtocolSocket } from "./protocol_socket.ts";
import type { ReceiptKeeper } from "./receipt_keeper.ts";
import type { ResumeEntries } from "./resume_entries.ts";
import { RunningOperation } from "./running_operation.ts";
import type { SocketCaller } from "./socket_caller.ts";
import { SocketReceipts, type SocketReceiptsDeps } from "./socket_receipts.ts";
import { Turnstile } from "./turnstile.ts";

/** What all connections of a transport share. */
export interface SocketConnectionDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly flushes: FlushQueue;
  readonly batch: FrameBatch;
  /** Undefined when no client may agree to permessage-deflate. */
  readonly deflater: Deflater | undefined;
  readonly keeper: ReceiptKeeper;
  readonly outboxBytes: number;
  /** Bytes of the first message, the connection_init. */
  readonly initBytes: number;
  /** How long it may take to come, in milliseconds. */
  readonly initTimeoutMs: number;
  /** Mutations a user may make in a second; a connection may send more messages by as much. 0 is any number. */
  readonly messagesPerSecond: number;
  /** Called once, when a connection has sent its connection_init or has closed without. */
  readonly onInitiated: (connection: SocketConnection) => void;
  /** Called once when a connection has closed and let go of everything. */
  readonly onClosed: (connection: SocketConnection, end: SocketEnd) => void;
}

/** What a connection is made of. */
export interface UpgradedSocket {
  readonly webSocket: HeardSocket;
  /** The TCP socket the upgrade came on; the outbox writes to it beside `webSocket`. */
  readonly socket: Socket;
  readonly arrival: Arrival;
  /** The network it is counted under. */
  readonly network: string;
  readonly phase: number;
}

/** Queries and mutations of one connection that run at once. */
const MAX_EXECUTIONS = 32;
/** How long a connection may stay whose user nobody knows, in milliseconds. */
const TOKEN_TIMEOUT_MS = 10_000;
/** Frames a peer may send for each mutation that its user may make: it also subscribes, completes and pings. */
const FRAMES_BY = 10;
/** And at least so many in a second, however little may be sent: one that comes back subscribes to all it had. */
const LEAST_FRAMES = 100;
/** They are counted over so many milliseconds: as many may come at once. */
const FRAME_WINDOW_MS = 2_000;
/** `WebSocket.OPEN` (WebSockets standard). */
const OPEN = 1;

/**
 * One WebSocket, from upgrade to close.
 *
 * Keeps its own list of operations: what makeServer keeps loses entries when an id is
 * reused quickly, so nothing here relies on it for cleaning up.
 *
 * It is itself what its parts need of it: a connection that idles should be small.
 */
export class SocketConnection
  implements Pulse, SocketListener, SessionPeer, Expiring, OutboxDeps, SocketReceiptsDeps, GoodbyeDeps {
  readonly webSocket: HeardSocket;
  readonly socket: Socket;
  readonly openedAtMs: number;
  /** When in a second its subscriptions are told where they are. */
  readonly phase: number;
  /** Kept until the client has said who it is. */
  arrival: Arrival | undefined;
  /** Whether it is a guest without a cookie: it may have been another guest before. */
  readonly isNameless: boolean;
  /** The network it is counted under. */
  readonly network: string;
  readonly outbox: Outbox;
  readonly receipts: SocketReceipts;
  /** Subscriptions that run or are being begun. */
  subscriptions = 0;
  silentPings = 0;
  /** Set once its user is known. */
  caller: SocketCaller | undefined;
  session: SessionConnection | undefined;
  /** The session it named when it connected, or the one made for it. */
  sessionId = "";
  /** Whether the client named it. */
  namesSession = false;
  /** Whether it came without a token: each of its operations is to bring one. */
  tokensByOperation = false;
  /** While it is being found out whose such a token is. */
  admitting: Promise<void> | undefined;
  /** The last of them that was good, while the connection goes by it. */
  lastToken: string | undefined;
  /** Whether a subscription has begun: its user is settled from then on. */
  isFollowing = false;
  /** While it is being found out whether a subscription continues an earlier session. */
  continuing: Promise<unknown> | undefined;
  /** Where its client left off before, in its own words. */
  resume: ResumeEntries | undefined;
  closed = false;
  readonly #deps: SocketConnectionDeps;
  readonly #operations = new SmallMap<string, RunningOperation>();
  #id: string | undefined;
  #executions: Turnstile | undefined;
  #expiries: Expiries | undefined;
  #receive: ((message: ClientMessage) => Promise<void>) | undefined;
  #closeProtocol: ((code: number, reason: string) => Promise<void>) | undefined;
  #cancelInit: Cancel | undefined;
  #goodbye: Goodbye | undefined;
  #failure: string | undefined;
  readonly #isCompressed: boolean;
  #silent = false;
  #isInitiated = false;
  /** Frames heard in a window, and which window that was. */
  #heard = 0;
  #window = 0;

  constructor({ webSocket, socket, arrival, network, phase }: UpgradedSocket, deps: SocketConnectionDeps) {
    this.#deps = deps;
    this.webSocket = webSocket;
    this.socket = socket;
    this.openedAtMs = deps.clock.now();
    this.phase = phase;
    this.arrival = arrival;
    this.network = network;
    this.isNameless = arrival.guest.setCookie !== undefined;
    this.#isCompressed = webSocket.extensions !== "";
    this.outbox = new Outbox(this);
    this.receipts = new SocketReceipts(this);
  }

  /** Its name in the log and for the program's hooks; made when somebody asks. */
  get id(): string {
    return this.#id ??= ulid();
  }

  /** Queries and mutations that run; what they have answered may wait for the reader. */
  get executions(): Turnstile {
    return this.#executions ??= new Turnstile(MAX_EXECUTIONS);
  }

  get clock(): Clock {
    return this.#deps.clock;
  }

  get flushes(): FlushQueue {
    return this.#deps.flushes;
  }

  get batch(): FrameBatch {
    return this.#deps.batch;
  }

  /** Undefined when the client has not agreed to permessage-deflate. */
  get deflater(): Deflater | undefined {
    return this.#isCompressed ? this.#deps.deflater : undefined;
  }

  get keeper(): ReceiptKeeper {
    return this.#deps.keeper;
  }

  get maxBytes(): number {
    return this.#deps.outboxBytes;
  }

  isOpen(): boolean {
    return this.webSocket.readyState === OPEN;
  }

  onOverflow(): void {
    this.end(CLOSE_CODES.tryAgainLater, "slow reader");
  }

  get principal(): Principal | undefined {
    return this.caller?.principal;
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
    const operation = new RunningOperation(this, id, isSubscription);
    if (isSubscription) this.subscriptions++;
    this.#operations.set(id, operation);
    return operation;
  }

  /** Frees an operation's id. Called once for each, by itself. */
  ended(operation: RunningOperation): void {
    const { id, isSubscription } = operation;
    if (isSubscription) {
      this.subscriptions--;
      this.receipts.end(id);
    }
    // The id may have been taken again since.
    if (this.#operations.get(id) === operation) this.#operations.delete(id);
  }

  /** Begins to speak the protocol, and to wait for the connection_init. */
  open(protocol: Server<SocketConnection>): void {
    this.#closeProtocol = protocol.opened(new ProtocolSocket(this, this.webSocket.protocol), this);
    this.#cancelInit = this.clock.after(this.#deps.initTimeoutMs, () => {
      this.end(CLOSE_CODES.connectionInitialisationTimeout, "Connection initialisation timeout");
    });
  }

  /** Hands what the client says to the protocol. */
  listen(receive: (message: ClientMessage) => Promise<void>): void {
    this.#receive = receive;
  }

  /** What was waited for has come: the connection_init, or a token. */
  initiated(): void {
    this.#cancelInit?.();
    this.#cancelInit = undefined;
    if (this.#isInitiated) return;
    this.#isInitiated = true;
    this.#deps.onInitiated(this);
  }

  /** Begins to wait for an operation that says who asks. */
  awaitToken(): void {
    this.tokensByOperation = true;
    this.#cancelInit = this.clock.after(TOKEN_TIMEOUT_MS, () => {
      this.end(CLOSE_CODES.unauthorized, "Cannot stay without a token");
    });
  }

  /** Its user is known, until the token ends. */
  admitted(expiries: Expiries): void {
    this.initiated();
    this.#expiries = expiries;
    expiries.set(this, this.caller!.principal.expiresAtMs);
  }

  refresh(principal: Principal): void {
    if (this.caller === undefined || this.closed || this.ending !== undefined) return;
    this.caller.principal = principal;
    // The token of an operation is not what it goes by now.
    this.lastToken = undefined;
    this.#expiries?.set(this, principal.expiresAtMs);
  }

  expire(): void {
    this.end(CLOSE_CODES.tokenExpired, "token expired");
  }

  disconnect(reason: string): void {
    this.end(CLOSE_CODES.unauthorized, reason);
  }

  /** Closes from our side. The first call counts. */
  end(code: number, reason: string): void {
    if (this.closed || this.#goodbye !== undefined) return;
    this.#expiries?.delete(this);
    this.#goodbye = new Goodbye({ code, reason }, this);
    this.#goodbye.say();
  }

  /** Why our side closes, when it does; the peer's view of it may differ. */
  get ending(): SocketEnd | undefined {
    return this.#goodbye?.end;
  }

  ping(): void {
    this.webSocket.ping();
  }

  onSilent(): void {
    this.#silent = true;
    this.webSocket.terminate();
  }

  onPong(): void {
    this.silentPings = 0;
    this.#isTooMuch();
  }

  onPing(): void {
    this.#isTooMuch();
  }

  onMessage(data: Uint8Array, isBinary: boolean): void {
    this.silentPings = 0;
    if (this.#isTooMuch()) return;
    if (isBinary) return this.end(CLOSE_CODES.badRequest, "Invalid message received: must be text");
    const { initBytes } = this.#deps;
    if (this.caller === undefined && data.length > initBytes) {
      const reason = `Message before the acknowledgement larger than ${initBytes} bytes`;
      return this.end(CLOSE_CODES.messageTooBig, reason);
    }
    const message = readClientMessage(String(data));
    if (message === undefined) return this.end(CLOSE_CODES.badRequest, "Invalid message received");
    // Its last words have been said: what is asked now is asked again on the next connection.
    if (this.ending !== undefined && message.type !== "pong") return;
    this.#receive?.(message).catch((error: unknown) => this.fail(error));
  }

  onClosing(): void {
    this.outbox.flush();
  }

  onError(error: Error): void {
    this.#failure = error.message;
  }

  onClose(code: number, reason: string): void {
    const why = this.ending ?? { code, reason: this.#failure ?? reason };
    this.#release();
    this.#deps.onClosed(this, why);
    this.#closeProtocol?.(code, reason).catch((error: unknown) => this.#report(error));
  }

  /** Whether its peer sends more frames than anybody needs to: then it is closed, and not listened to. */
  #isTooMuch(): boolean {
    const { messagesPerSecond } = this.#deps;
    if (messagesPerSecond === 0) return false;
    const window = Math.floor(this.clock.now() / FRAME_WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#heard = 0;
    }
    const perSecond = Math.max(LEAST_FRAMES, messagesPerSecond * allowanceOf(this.caller?.principal) * FRAMES_BY);
    if (++this.#heard <= perSecond * FRAME_WINDOW_MS / 1_000) return false;
    this.end(CLOSE_CODES.tryAgainLater, "too many messages");
    return true;
  }

  /** Frees everything the connection holds. */
  #release(): void {
    this.closed = true;
    this.initiated();
    this.#expiries?.delete(this);
    this.#goodbye?.cancel();
    this.outbox.close();
    // Before the operations are ended: that would be the end of their receipts.
    this.receipts.close();
    for (const operation of [...this.#operations.values()]) operation.end(this.endReason);
    this.session?.close(this.endReason);
  }

  /** Ends it because of an error of our own. */
  fail(error: unknown): void {
    this.#report(error);
    this.end(CLOSE_CODES.internalServerError, "Internal server error");
  }

  #report(error: unknown): void {
    this.#deps.telemetry.record("error", "connection.failed", { connectionId: this.id, error: describeError(error) });
  }
}
