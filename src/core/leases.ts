import type { Caller } from "./caller.ts";
import { RealtimeError } from "./errors.ts";
import { encodeEvent } from "./event.ts";
import type { Memberships } from "./memberships.ts";
import type { Entered, Presence } from "./presence.ts";
import type { RoomName } from "./room_name.ts";

/** What leases need. */
export interface LeasesDeps {
  readonly presence: Presence;
  readonly memberships: Memberships;
  /** Rooms a user may be in when it takes one more by a lease. */
  readonly maxRooms: number;
}

/** How long a join without a connection holds a membership, in milliseconds. */
const LEASE_MS = 60_000;

/**
 * Joins of those who have no connection to hold the membership: it lasts a minute.
 *
 * Joining again begins the minute anew.
 */
export class Leases {
  readonly #deps: LeasesDeps;

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the caller's user a member for a minute.
   *
   * @throws {RealtimeError} `ROOM_LIMIT`
   */
  async take({ principal: { userId }, sessionId }: Caller, room: RoomName, state: string | null): Promise<Entered> {
    const { presence, memberships, maxRooms } = this.#deps;
    const rooms = await presence.roomsOf(userId);
    if (rooms.length >= maxRooms && !rooms.includes(room)) {
      throw new RealtimeError(
        "ROOM_LIMIT",
        `Cannot join "${room}": you are in ${rooms.length} rooms already, and ${maxRooms} is the most without a connection`,
        { limit: maxRooms },
      );
    }
    const event = encodeEvent({ kind: "joined", userId, sessionCount: 0, state });
    const beginning = { event, state: state === null ? null : { json: state, setBy: null } };
    const { first, member } = await presence.lease(room, userId, { ttlMs: LEASE_MS, sessionId }, beginning);
    return { first, member: await memberships.leased(room, userId, sessionId) ?? member };
  }
}
