import type { Clock } from "../../src/core/clock.ts";
import { Leases } from "../../src/core/leases.ts";
import { MemberStates } from "../../src/core/member_states.ts";
import { Memberships } from "../../src/core/memberships.ts";
import type { Presence } from "../../src/core/presence.ts";
import { Sessions } from "../../src/core/sessions.ts";
import type { Telemetry } from "../../src/core/telemetry.ts";

/** What a test chooses. */
export interface MembershipPartsOptions {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly leaveGraceMs: number;
  readonly maxRoomsPerSession: number;
  /** As many as one session may hold, when not given. */
  readonly maxLeasedRooms?: number;
}

/** What sessions and memberships are made of, put together as the server does. */
export function createMembershipParts(options: MembershipPartsOptions) {
  const { presence, clock, telemetry, maxRoomsPerSession, maxLeasedRooms = maxRoomsPerSession } = options;
  const states = new MemberStates({ presence, telemetry, maxRoomsPerSession });
  const memberships = new Memberships({ ...options, onReleased: (session, room) => states.left(session, room) });
  const leases = new Leases({ presence, memberships, maxRooms: maxLeasedRooms });
  const sessions = new Sessions({
    clock,
    lingerMs: 10_000,
    listener: {
      disconnected: (session, reason) => memberships.disconnected(session, reason),
      ended(session) {
        states.ended(session);
        memberships.ended(session);
      },
    },
  });
  return {
    memberships,
    states,
    leases,
    sessions,
    close(): void {
      memberships.close();
      sessions.close();
    },
  };
}
