import { GUEST_PREFIX } from "../core/caller.ts";
import type { Receipt } from "../core/engine.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Rooms } from "../core/rooms.ts";
import type { Connecting, SessionConnection, Sessions } from "../core/sessions.ts";
import type { SocketCaller } from "./socket_caller.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** What continuing sessions needs. */
export interface ContinuedSessionDeps {
  readonly sessions: Sessions;
  readonly rooms: Rooms;
}

/** Opens a connection's session, a new one or one that waits to be continued. */
export function connectSession(
  connection: SocketConnection,
  who: Connecting,
  { sessions }: Pick<ContinuedSessionDeps, "sessions">,
): SessionConnection {
  return sessions.connect(who, connection);
}

/**
 * Continues the session that a receipt names: its client has come back over a new
 * connection, and is known by its operation.
 *
 * A client that names its session itself stays in that one. A guest without a cookie
 * becomes the guest that it was.
 */
export function continueSession(connection: SocketConnection, receipt: Receipt, deps: ContinuedSessionDeps): void {
  const { caller, session: before } = connection;
  // Gone while the receipt was looked for.
  if (caller === undefined || before === undefined || connection.closed) return;
  const { userId, sessionId } = receipt;
  let rooms: ReadonlySet<RoomName> = new Set();
  if (caller.sessionId !== sessionId || caller.principal.userId !== userId) {
    if (connection.namesSession || !mayBe(connection, caller, userId)) return;
    connection.session = connectSession(connection, { userId, sessionId }, deps);
    const { session, continues } = connection.session;
    rooms = new Set([...before.session.rooms, ...(continues ? session.rooms : [])]);
    caller.session = session;
    caller.principal = { ...caller.principal, userId };
    before.close("DISCONNECTED");
    // Nothing is waited for under its name: it goes on under the other.
    deps.rooms.handOver(before.session);
    connection.receipts.continued({ sessionId, userId });
  }
  // One that is still known may have left since.
  if (connection.session!.isNew) rooms = rooms.union(new Set(receipt.rooms).difference(new Set(caller.session.rooms)));
  deps.rooms.rejoin(caller, [...rooms]);
}

/** Whether this connection's user can be taken for that one: a guest may have no other name than what it runs. */
function mayBe({ isNameless, isFollowing }: SocketConnection, { principal }: SocketCaller, userId: string): boolean {
  if (principal.userId === userId) return true;
  return isNameless && !isFollowing && userId.startsWith(GUEST_PREFIX);
}
