import { RealtimeError } from "./errors.ts";

/** Characters of a reason: it must fit where a WebSocket says why it closes, in most scripts. */
const MAX_REASON_CHARACTERS = 100;

/**
 * Reads why somebody is removed or disconnected; null: nobody says.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` (with `limit`) when it is too long
 */
export function parseReason(reason: string | null): string | null {
  if (reason === null || reason.length <= MAX_REASON_CHARACTERS) return reason;
  throw new RealtimeError(
    "BAD_USER_INPUT",
    `Cannot use a reason of ${reason.length} characters: at most ${MAX_REASON_CHARACTERS} are allowed`,
    { limit: MAX_REASON_CHARACTERS },
  );
}
