import type { Clock } from "./clock.ts";
import { RECEIPT_TTL_MS } from "./engine.ts";
import type { RoomName } from "./room_name.ts";
import type { Session } from "./sessions.ts";

/** Departures remembered at once; the oldest are forgotten first. */
const MAX_DEPARTURES = 10_000;

/**
 * Who has left a room on purpose, or was removed, for as long as a receipt may say that
 * they had joined it: what is continued does not bring them back.
 */
export class Departures {
  readonly #clock: Clock;
  /** When each was, in the order of being. */
  readonly #departedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A session has left; null: all of the user's have, whether or not they are known here. */
  note(room: RoomName, userId: string, sessionId: string | null): void {
    const key = keyOf(room, userId, sessionId);
    const now = this.#clock.now();
    // Taken out first: the order of the map is the order of departure.
    this.#departedAtMs.delete(key);
    this.#departedAtMs.set(key, now);
    for (const [oldest, departedAtMs] of this.#departedAtMs) {
      if (this.#departedAtMs.size <= MAX_DEPARTURES && now - departedAtMs < RECEIPT_TTL_MS) break;
      this.#departedAtMs.delete(oldest);
    }
  }

  /** The session has joined: what was before counts no more. */
  forget(room: RoomName, { userId, id }: Pick<Session, "userId" | "id">): void {
    if (this.#departedAtMs.size === 0) return;
    this.#departedAtMs.delete(keyOf(room, userId, id));
    this.#departedAtMs.delete(keyOf(room, userId, null));
  }

  /** Whether the session has left the room, and not joined it again. */
  has(room: RoomName, { userId, id }: Session): boolean {
    return [id, null].some((sessionId) => {
      const departedAtMs = this.#departedAtMs.get(keyOf(room, userId, sessionId));
      return departedAtMs !== undefined && this.#clock.now() - departedAtMs < RECEIPT_TTL_MS;
    });
  }
}

/** No part can hold a NUL: all were parsed. */
function keyOf(room: RoomName, userId: string, sessionId: string | null): string {
  return `${room}\0${userId}\0${sessionId ?? ""}`;
}
