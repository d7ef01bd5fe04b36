import type { Principal } from "../core/auth.ts";
import type { Caller } from "../core/caller.ts";
import type { Session } from "../core/sessions.ts";

/**
 * Whom a WebSocket speaks for.
 *
 * The same object for all its operations: once the connection is found to continue an
 * earlier session, those that run already are in that session too.
 */
export class SocketCaller implements Caller {
  principal: Principal;
  session: Session;
  readonly namesSession = true;

  constructor(principal: Principal, session: Session, readonly address?: string) {
    this.principal = principal;
    this.session = session;
  }

  get sessionId(): string {
    return this.session.id;
  }
}
