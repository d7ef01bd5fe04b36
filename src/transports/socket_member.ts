import type { Caller } from "../core/caller.ts";
import type { FollowEnd } from "../core/follow_membership.ts";
import type { LiveMember } from "../graphql/live_selection.ts";
import { FrameHeads } from "./frame_head.ts";
import type { ReceiptOwner } from "./receipt_owner.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** What one subscription's member needs. */
export interface SocketMemberDeps {
  readonly connection: SocketConnection;
  readonly viewer: Caller;
  readonly id: string;
  /** Whose receipts are kept; undefined when none are. */
  readonly owner: ReceiptOwner | undefined;
  /** Ends the operation, without a word. */
  readonly stop: (end: FollowEnd) => void;
  /** Whether it has been ended, perhaps while it was being begun. */
  readonly isOver: () => boolean;
  /** Whether it goes on from a receipt of an earlier connection. */
  readonly earned: boolean;
}

/** A subscription's way to its client: frames go past makeServer, straight to the outbox. */
export function createSocketMember(
  { connection, viewer, id, owner, stop, isOver, earned }: SocketMemberDeps,
): LiveMember {
  const jsonId = JSON.stringify(id);
  const heads = new FrameHeads(`{"id":${jsonId},"type":"next","payload":`);
  const { outbox, receipts } = connection;
  // Its client has come back over another connection: this one is over, noticed or not.
  const detach = (): void => stop("DISCONNECTED");
  /** Where the last frame that was sent brought the client. */
  let sent = "";
  return {
    viewer,
    begin(cursor) {
      sent = cursor;
      if (owner !== undefined && !isOver()) receipts.begin(owner, { cursor, earned, detach, sent: () => sent });
    },
    moved(cursor) {
      sent = cursor;
      receipts.moved(id);
    },
    notice: (notice) => receipts.notice(id, notice),
    busy: () => outbox.busy(),
    next(frame) {
      outbox.sendShared(heads, frame);
      sent = frame.cursor;
      if (frame.notice !== undefined) receipts.noticed(id);
    },
    fail(errors) {
      outbox.sendText(`{"id":${jsonId},"type":"error","payload":${JSON.stringify(errors)}}`);
      stop("COMPLETED");
    },
  };
}
