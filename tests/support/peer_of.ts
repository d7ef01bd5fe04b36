import { SCOPES } from "../../src/core/auth.ts";
import type { SessionPeer } from "../../src/core/sessions.ts";

/** A connection of this user, as its session sees it: it may do everything. */
export function peerOf(userId: string, disconnect: SessionPeer["disconnect"] = () => {}): SessionPeer {
  return { principal: { userId, scopes: new Set(SCOPES), expiresAtMs: null }, disconnect, refresh() {} };
}
