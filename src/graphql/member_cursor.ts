import type { MemberMark } from "../core/presence.ts";
import type { RoomName } from "../core/room_name.ts";
import { formatListCursor, parseListCursor } from "./list_cursor.ts";

type Mark = readonly [joinedAtMs: number, userId: string];

/** A place in a room's list of members as the opaque text clients keep. */
export function formatMemberCursor(room: RoomName, { joinedAtMs, userId }: MemberMark): string {
  return formatListCursor(room, [joinedAtMs, userId]);
}

/**
 * Reads a member cursor of this room.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when it is none, or is another room's
 */
export function parseMemberCursor(room: RoomName, text: string): MemberMark {
  const [joinedAtMs, userId] = parseListCursor(room, text, isMark);
  return { joinedAtMs, userId };
}

function isMark(parts: readonly unknown[]): parts is Mark {
  return Number.isSafeInteger(parts[0]) && typeof parts[1] === "string" && parts[1] !== "";
}
