import type { GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { FollowEnd } from "../core/follow_membership.ts";
import type { FrameNotice, LiveFrame } from "../graphql/live_frame.ts";
import type { LiveMember } from "../graphql/live_selection.ts";
import { FrameHeads } from "./frame_head.ts";
import type { ReceiptBeginning } from "./pinged_operation.ts";
import type { ReceiptOwner } from "./receipt_owner.ts";
import type { RunningOperation } from "./running_operation.ts";
import { sendErrors } from "./socket_answer.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** What one subscription's member needs. */
export interface SocketMemberDeps {
  readonly connection: SocketConnection;
  readonly viewer: Caller;
  readonly running: RunningOperation;
  /** What makeServer keeps by operation id. */
  readonly subscriptions: Record<string, unknown>;
  /** Whose receipts are kept; undefined when none are. */
  readonly owner: ReceiptOwner | undefined;
  /** Whether it goes on from a receipt of an earlier connection. */
  readonly earned: boolean;
}

/** A subscription's way to its client: frames go past makeServer, straight to the outbox. */
export class SocketMember implements LiveMember, ReceiptBeginning {
  readonly viewer: Caller;
  readonly earned: boolean;
  readonly #connection: SocketConnection;
  readonly #running: RunningOperation;
  readonly #subscriptions: Record<string, unknown>;
  readonly #owner: ReceiptOwner | undefined;
  /** What stands before the events in their frames; made for the first one. */
  #heads: FrameHeads | undefined;
  /** Where the last frame that was sent brought the client. */
  #cursor = "";

  constructor({ connection, viewer, running, subscriptions, owner, earned }: SocketMemberDeps) {
    this.viewer = viewer;
    this.earned = earned;
    this.#connection = connection;
    this.#running = running;
    this.#subscriptions = subscriptions;
    this.#owner = owner;
  }

  get phase(): number {
    return this.#connection.phase;
  }

  get cursor(): string {
    return this.#cursor;
  }

  sent(): string {
    return this.#cursor;
  }

  begin(cursor: string): void {
    this.#cursor = cursor;
    if (this.#owner !== undefined && !this.#running.ended) this.#connection.receipts.begin(this.#owner, this);
  }

  moved(cursor: string): void {
    this.#cursor = cursor;
    this.#connection.receipts.moved(this.#running.id);
  }

  notice(notice: FrameNotice): void {
    this.#connection.receipts.notice(this.#running.id, notice);
  }

  busy(): Promise<void> | undefined {
    return this.#connection.outbox.busy();
  }

  next(frame: LiveFrame): void {
    // Ended while it was being begun: nothing more may be said of its id.
    if (this.#running.ended) return;
    this.#heads ??= new FrameHeads(`{"id":${JSON.stringify(this.#running.id)},"type":"next","payload":`);
    this.#connection.outbox.sendShared(this.#heads, frame);
    this.#cursor = frame.cursor;
    if (frame.notice !== undefined) this.#connection.receipts.noticed(this.#running.id);
  }

  fail(errors: readonly GraphQLError[]): void {
    if (this.#running.ended) return;
    sendErrors(this.#connection.outbox, this.#running.id, errors);
    this.stop("COMPLETED");
  }

  /** Its client has come back over another connection: this one is over, noticed or not. */
  detach(): void {
    this.stop("DISCONNECTED");
  }

  /** Ends the operation, without a word. */
  stop(end: FollowEnd): void {
    this.#running.end(end);
    // makeServer must not know the id any more: nothing more is said of it.
    delete this.#subscriptions[this.#running.id];
  }
}
