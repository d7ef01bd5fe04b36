import { type RoomRight, type RoomRights, SCOPES } from "../core/auth.ts";

/** Patterns of one claim. */
const MAX_PATTERNS = 200;
/** UTF-16 code units of one pattern. A room's name has at most 256. */
const MAX_PATTERN_LENGTH = 512;
/** Rights listed for one pattern, those nobody knows included. */
const MAX_RIGHTS = 32;

const ROOM_RIGHTS: ReadonlySet<unknown> = new Set<RoomRight>(["read", "send", "join"]);

/**
 * Reads a token's claim `rooms`: `{"team-*": ["read", "send"]}`.
 *
 * `*` stands for any run of characters, also none; everything else for itself, compared
 * in normal form C, and case counts. A room has the rights of all patterns that match
 * it. `{}` allows nothing. Rights that are not known allow nothing.
 *
 * @throws {TypeError | RangeError} when the claim cannot be understood, or is too large:
 * a token that means to narrow is not to be taken for one that does not
 */
export function parseRoomRights(claim: unknown): RoomRights {
  if (typeof claim !== "object" || claim === null || Array.isArray(claim)) {
    throw new TypeError("Cannot use the claim rooms: must be an object of rights by pattern");
  }
  const entries = Object.entries(claim);
  if (entries.length > MAX_PATTERNS) {
    throw new RangeError(`Cannot use the claim rooms: must have at most ${MAX_PATTERNS} patterns`);
  }
  const rules = entries.map(([pattern, rights]) => ({ pattern: parsePattern(pattern), rights: parseRights(rights) }));
  return {
    allows: (room, right) => rules.some(({ pattern, rights }) => rights.has(right) && matches(pattern, room)),
  };
}

/** What stands between the stars, in order: one more than there are stars. */
type Pattern = readonly string[];

function parsePattern(text: string): Pattern {
  if (text.length > MAX_PATTERN_LENGTH) {
    throw new RangeError(`Cannot use a pattern of the claim rooms: must have at most ${MAX_PATTERN_LENGTH} characters`);
  }
  // Half a character would match where the other half is another one.
  if (!text.isWellFormed()) throw new TypeError("Cannot use a pattern of the claim rooms: must be well-formed Unicode");
  return text.normalize("NFC").split(/\*+/);
}

function parseRights(rights: unknown): ReadonlySet<unknown> {
  if (!Array.isArray(rights) || !rights.every((right) => typeof right === "string")) {
    throw new TypeError(
      `Cannot use the claim rooms: each pattern must have a list of ${SCOPES.slice(0, 3).join(", ")}`,
    );
  }
  if (rights.length > MAX_RIGHTS) {
    throw new RangeError(`Cannot use the claim rooms: a pattern must have at most ${MAX_RIGHTS} rights`);
  }
  return new Set(rights).intersection(ROOM_RIGHTS);
}

/**
 * Whether the name is one the pattern stands for.
 *
 * Each part between two stars is taken where it comes first. Nothing has to be tried
 * again: what follows a star may only gain by the room that is left to it.
 */
function matches([first, ...parts]: Pattern, name: string): boolean {
  const last = parts.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first!)) return false;
  const end = name.length - last.length;
  let at = first!.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end && name.endsWith(last);
}
