import type { MemberRecord, Presence } from "./presence.ts";
import { RealtimeError } from "./errors.ts";
import { encodeEvent } from "./event.ts";
import { isDeeperThan } from "./json_depth.ts";
import type { RoomName } from "./room_name.ts";
import type { Session } from "./sessions.ts";
import { describeError, type Telemetry } from "./telemetry.ts";
import { utf8Length } from "./utf8_length.ts";

/** What the states need. */
export interface MemberStatesDeps {
  readonly presence: Presence;
  readonly telemetry: Telemetry;
  /** Rooms in which one session may have set a state. */
  readonly maxRoomsPerSession: number;
}

/** Who sets a state. */
export interface StateOwner {
  readonly userId: string;
  /** The session the state goes with; undefined: it stays as long as the member. */
  readonly session: Session | undefined;
}

/** The most a state may be, in bytes of UTF-8 as JSON. */
const MAX_STATE_BYTES = 1_024;
const MAX_STATE_LEVELS = 32;

/**
 * What members say of themselves: typing, away, a caret.
 *
 * The last one set counts. It goes with the session that set it, or with the member.
 */
export class MemberStates {
  readonly #deps: MemberStatesDeps;

  constructor(deps: MemberStatesDeps) {
    this.#deps = deps;
  }

  /**
   * Sets the user's state in a room.
   *
   * @throws {RealtimeError} `NOT_FOUND` when the user is no member, `ROOM_LIMIT`
   */
  async set(room: RoomName, { userId, session }: StateOwner, json: string): Promise<MemberRecord> {
    const { presence } = this.#deps;
    if (session !== undefined) await this.#requireCapacity(session, room);
    const known = await presence.member(room, userId);
    const member = known === undefined ? undefined : { ...known, state: json };
    const state = { json, setBy: session?.id ?? null };
    if (
      member === undefined ||
      !await presence.setState(room, userId, state, { event: encodeEvent({ kind: "updated", member }) })
    ) throw new RealtimeError("NOT_FOUND", `Cannot set a state in "${room}": you are no member of it`);
    session?.statefulRooms.add(room);
    // A session that has ended meanwhile is not told to us again.
    if (session?.ended) this.ended(session);
    return member;
  }

  /** Drops the states that a session has set: it cannot be continued any more. */
  ended(session: Session): void {
    for (const room of [...session.statefulRooms]) void this.left(session, room);
  }

  /** Drops the state that a session has set in a room it has left, if the member stays. Never fails. */
  async left(session: Session, room: RoomName): Promise<void> {
    if (!session.statefulRooms.delete(room)) return;
    try {
      await this.#drop(room, session);
    } catch (error) {
      // A session that only left takes it along when it ends.
      session.statefulRooms.add(room);
      const { userId } = session;
      this.#deps.telemetry.record("error", "state.failed", { room, userId, error: describeError(error) });
    }
  }

  async #requireCapacity(session: Session, room: RoomName): Promise<void> {
    const { presence, maxRoomsPerSession } = this.#deps;
    const { statefulRooms, userId } = session;
    const isFull = (): boolean => !statefulRooms.has(room) && statefulRooms.size >= maxRoomsPerSession;
    if (!isFull()) return;
    // Only those of now: it may join others, and set states there, before the answer comes.
    const stateful = [...statefulRooms];
    // A state ends with its membership, and that may end on any node: asked for once it matters.
    const current = new Set(await presence.roomsOf(userId));
    for (const known of stateful) if (!current.has(known)) statefulRooms.delete(known);
    if (!isFull()) return;
    throw new RealtimeError(
      "ROOM_LIMIT",
      `Cannot set a state in "${room}": this session has one in ${maxRoomsPerSession} rooms already`,
      { limit: maxRoomsPerSession },
    );
  }

  async #drop(room: RoomName, { id, userId }: Session): Promise<void> {
    const { presence } = this.#deps;
    const member = await presence.member(room, userId);
    if (member === undefined) return;
    const event = encodeEvent({ kind: "updated", member: { ...member, state: null } });
    await presence.setState(room, userId, null, { event, setBy: id });
  }
}

/**
 * Writes a state as it is kept.
 *
 * @throws {RealtimeError} `PAYLOAD_TOO_LARGE` (with `limit`), `BAD_USER_INPUT` when it is too deep
 */
export function encodeState(state: unknown): string {
  if (isDeeperThan(state, MAX_STATE_LEVELS)) {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot set this state: at most ${MAX_STATE_LEVELS} levels are allowed`);
  }
  const json = JSON.stringify(state);
  const bytes = utf8Length(json);
  if (bytes <= MAX_STATE_BYTES) return json;
  throw new RealtimeError(
    "PAYLOAD_TOO_LARGE",
    `Cannot set a state of ${bytes} bytes: at most ${MAX_STATE_BYTES} are allowed`,
    { limit: MAX_STATE_BYTES },
  );
}
