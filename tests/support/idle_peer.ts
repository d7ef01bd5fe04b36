import type { SessionPeer } from "../../src/core/sessions.ts";

/** A connection that nothing can happen to. */
export const IDLE_PEER: SessionPeer = { disconnect() {}, refresh() {} };
