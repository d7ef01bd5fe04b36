import type { MemberMark } from "../core/engine.ts";
import { RealtimeError } from "../core/errors.ts";
import { shortHash } from "../core/hash.ts";
import type { RoomName } from "../core/room_name.ts";

/** Begins every member cursor of this layout. */
const VERSION = 1;
/** Longer than the cursor of the longest user id. */
const MAX_CURSOR_LENGTH = 2_048;

/**
 * A place in a room's list of members as the opaque text clients keep.
 *
 * Base64url of `[version, hash of the room, joinedAtMs, userId]` as JSON; the hash keeps
 * another room's cursor from being taken for this one's.
 */
export function formatMemberCursor(room: RoomName, { joinedAtMs, userId }: MemberMark): string {
  const json = JSON.stringify([VERSION, shortHash(room), joinedAtMs, userId]);
  return new TextEncoder().encode(json).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Reads a member cursor of this room.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when it is none, or is another room's
 */
export function parseMemberCursor(room: RoomName, text: string): MemberMark {
  const [version, hash, joinedAtMs, userId] = readParts(text);
  if (version !== VERSION || !Number.isSafeInteger(joinedAtMs) || typeof userId !== "string" || userId === "") {
    throw refuse(text, "not a cursor of a member");
  }
  if (hash !== shortHash(room)) throw refuse(text, "belongs to another room");
  return { joinedAtMs: joinedAtMs as number, userId };
}

function readParts(text: string): readonly unknown[] {
  if (text.length > MAX_CURSOR_LENGTH) return [];
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const parts: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(parts) ? parts : [];
  } catch {
    // Neither base64url nor JSON: no cursor, which is what no parts say.
    return [];
  }
}

function refuse(text: string, reason: string): RealtimeError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new RealtimeError("BAD_USER_INPUT", `Cannot use ${JSON.stringify(shown)} as a cursor: ${reason}`);
}
