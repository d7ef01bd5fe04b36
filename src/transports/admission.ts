import type { Principal } from "../core/auth.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Expiries } from "../core/expiries.ts";
import type { GuardedAuthenticator } from "../core/guarded_authenticator.ts";
import type { Rooms } from "../core/rooms.ts";
import type { Sessions } from "../core/sessions.ts";
import { connectSession } from "./continued_session.ts";
import { SocketCaller } from "./socket_caller.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** What letting connections in needs. */
export interface AdmissionDeps {
  readonly authenticator: GuardedAuthenticator;
  readonly sessions: Sessions;
  readonly rooms: Rooms;
  readonly expiries: Expiries;
  /** Called once for each connection whose user is known. */
  readonly onAcknowledged: (connection: SocketConnection) => void;
}

/** Lets a connection in, for as long as its user's token is good. */
export function admit(connection: SocketConnection, principal: Principal, deps: AdmissionDeps): void {
  const { userId } = principal;
  connection.session = connectSession(connection, { userId, sessionId: connection.sessionId }, deps);
  const { session, continues } = connection.session;
  connection.caller = new SocketCaller(principal, session, connection.network);
  connection.admitted(deps.expiries);
  if (continues) deps.rooms.rejoin(connection.caller, [...session.rooms]);
  deps.onAcknowledged(connection);
  connection.arrival = undefined;
}

/**
 * Lets a connection in by the token that one of its operations brings along.
 *
 * The connection is that user's from then on, and goes by the token that came last, as
 * if it had been refreshed with it. One after the other, because two operations of one
 * chunk must not open two sessions.
 *
 * @throws {RealtimeError} `UNAUTHENTICATED`, `RATE_LIMITED`, `ENGINE_UNAVAILABLE`
 */
export function admitByOperation(connection: SocketConnection, token: string, deps: AdmissionDeps): Promise<void> {
  const before = connection.admitting ?? Promise.resolve();
  const admitting = before.catch(() => {
    // Its own operation has been told.
  }).then(() => byOperation(connection, token, deps));
  connection.admitting = admitting;
  return admitting;
}

async function byOperation(connection: SocketConnection, token: string, deps: AdmissionDeps): Promise<void> {
  if (connection.caller !== undefined && connection.lastToken === token) return;
  const credentials = { token, claimedUserId: null, guestSecret: null };
  const principal = await deps.authenticator.authenticate(credentials, connection.network);
  if (connection.closed || connection.ending !== undefined) return;
  const { caller } = connection;
  const { userId } = principal;
  if (caller !== undefined && caller.principal.userId !== userId) {
    throw new RealtimeError("UNAUTHENTICATED", "Cannot speak for two users on one connection: open another one");
  }
  if (caller === undefined) admit(connection, principal, deps);
  else connection.refresh(principal);
  // Another road may bring another one as soon as something is awaited.
  connection.lastToken = token;
  if (caller !== undefined) await deps.rooms.reauthorize({ userId, session: connection.session?.session });
}
