import { boundedNfc } from "./bounded_nfc.ts";
import { RealtimeError } from "./errors.ts";

declare const brand: unique symbol;

/** A room's name that {@linkcode parseRoomName} has accepted. */
export type RoomName = string & { readonly [brand]: "RoomName" };

/** The longest room name, in Unicode code points after NFC. */
export const MAX_ROOM_NAME_CODE_POINTS = 128;

/** Printable ASCII without outer spaces: needs no further look. */
const PLAIN = /^[!-~](?:[ -~]{0,126}[!-~])?$/;

/**
 * Control characters, line separators, lone surrogates and the marks that reorder
 * text (Unicode UAX #9, explicit directional formatting): names that look alike or
 * break a log line.
 */
const FORBIDDEN_CHARACTERS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Makes a room name of what somebody typed: NFC, 1 to 128 code points, case kept.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when the name is empty, too long, has
 * white space around it, or holds control or bidirectional characters.
 */
export function parseRoomName(text: string): RoomName {
  if (PLAIN.test(text)) return text as RoomName;
  const name = boundedNfc(text, MAX_ROOM_NAME_CODE_POINTS);
  if (name === undefined) throw refuse(text, `must have at most ${MAX_ROOM_NAME_CODE_POINTS} characters`);
  if (name === "") throw refuse(text, "must not be empty");
  const codePoints = [...name].length;
  if (codePoints > MAX_ROOM_NAME_CODE_POINTS) {
    throw refuse(text, `must have at most ${MAX_ROOM_NAME_CODE_POINTS} characters, has ${codePoints}`);
  }
  if (name.trim() !== name) throw refuse(text, "must not begin or end with white space");
  if (FORBIDDEN_CHARACTERS.test(name)) throw refuse(text, "must not hold control or bidirectional characters");
  return name as RoomName;
}

function refuse(text: string, reason: string): RealtimeError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return new RealtimeError("BAD_USER_INPUT", `Cannot use ${JSON.stringify(shown)} as a room name: ${reason}`);
}
