import { authorizeByScope } from "../../src/auth/policy.ts";
import { type Authorize, type Scope, SCOPES } from "../../src/core/auth.ts";
import type { Caller } from "../../src/core/caller.ts";
import { Hub } from "../../src/core/hub.ts";
import { Rooms } from "../../src/core/rooms.ts";
import type { SessionConnection } from "../../src/core/sessions.ts";
import { openMembershipWorld } from "./membership_world.ts";
import { NO_TOKENS } from "./no_tokens.ts";

/** Rooms over the sessions and memberships of a membership world. */
export async function openRoomsWorld({ authorize = authorizeByScope }: { readonly authorize?: Authorize } = {}) {
  const world = await openMembershipWorld();
  const { engine, clock, telemetry } = world;
  const hub = new Hub({ log: engine.log, clock, telemetry });
  await hub.open();
  const rooms = new Rooms({
    authenticator: NO_TOKENS,
    ...world,
    hub,
    authorize,
    maxMessageBytes: 1_000,
    nodeStatus: () => {
      throw new Error("Not asked in these tests");
    },
  });
  return {
    ...world,
    rooms,
    async [Symbol.asyncDispose]() {
      hub.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Whoever has this connection, with these scopes. */
export function callerOf({ session }: SessionConnection, scopes: readonly Scope[] = SCOPES): Caller {
  const principal = { userId: session.userId, scopes: new Set(scopes), expiresAtMs: null };
  return { principal, sessionId: session.id, namesSession: true, session };
}

/** A request without `x-session-id`. */
export function overHttp(userId: string): Caller {
  const principal = { userId, scopes: new Set(SCOPES), expiresAtMs: null };
  return { principal, sessionId: "made for the request", namesSession: false, session: undefined };
}
