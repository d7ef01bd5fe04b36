import { RealtimeError } from "../core/errors.ts";
import { shortHash } from "../core/hash.ts";

/** Begins every list cursor of this layout. */
const VERSION = 1;
/** Longer than the cursor of the longest name and user id. */
const MAX_CURSOR_LENGTH = 2_048;

/**
 * A place in a list as the opaque text clients keep.
 *
 * Base64url of `[version, hash of the list's name, …mark]` as JSON; the hash keeps
 * another list's cursor from being taken for this one's.
 */
export function formatListCursor(list: string, mark: readonly (string | number)[]): string {
  const json = JSON.stringify([VERSION, shortHash(list), ...mark]);
  return new TextEncoder().encode(json).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Reads the mark of a cursor of this list.
 *
 * `isMark` is asked whether the parts are those of a mark.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when it is none, or is another list's
 */
export function parseListCursor<Mark extends readonly unknown[]>(
  list: string,
  text: string,
  isMark: (parts: readonly unknown[]) => parts is Mark,
): Mark {
  const [version, hash, ...mark] = readParts(text);
  if (version !== VERSION || !isMark(mark)) throw refuse(text, "not a cursor of this list");
  if (hash !== shortHash(list)) throw refuse(text, "belongs to another list");
  return mark;
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
