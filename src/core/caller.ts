import type { Principal } from "./auth.ts";
import { boundedNfc } from "./bounded_nfc.ts";
import { RealtimeError } from "./errors.ts";
import type { Session } from "./sessions.ts";

/** Who is asking: the identity, and the client run it asks from. */
export interface Caller {
  readonly principal: Principal;
  /** The session's id; made for this request alone when the caller named none. */
  readonly sessionId: string;
  /** False for an HTTP request without `x-session-id`: nothing can be excluded from or held by it. */
  readonly namesSession: boolean;
  /** The open session of that id, when there is one. */
  readonly session: Session | undefined;
  /** The network it asks from, as far as it is counted by that; absent: the program itself. */
  readonly address?: string | undefined;
}

const MAX_ID_CODE_POINTS = 128;
const PLAIN_ID = /^[!-~]{1,128}$/;
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** Begins the ids of guests, who are known by a cookie alone. */
export const GUEST_PREFIX = "guest-";
/** The sender of what the program itself sends, and the beginning of ids kept for it. */
export const SERVER_USER_ID = "server";

/**
 * Reads a session id a client chose.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`
 */
export function parseSessionId(value: unknown): string {
  return parseId(value, "session id");
}

/**
 * Reads a user id a client claims to have.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when it is none, `UNAUTHENTICATED` when it
 * begins like those that cannot be claimed.
 */
export function parseClaimedUserId(value: unknown): string {
  const userId = parseUserId(value);
  if (userId.startsWith(GUEST_PREFIX) || userId.startsWith(SERVER_USER_ID)) {
    throw new RealtimeError(
      "UNAUTHENTICATED",
      `Cannot be "${userId}": ids beginning "guest-" or "server" are reserved`,
    );
  }
  return userId;
}

/**
 * Reads a user id, whoever may have it.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`
 */
export function parseUserId(value: unknown): string {
  return parseId(value, "user id");
}

function parseId(value: unknown, what: string): string {
  if (typeof value === "string" && PLAIN_ID.test(value)) return value;
  if (typeof value !== "string") {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot use ${JSON.stringify(value)} as a ${what}: must be a string`);
  }
  const id = boundedNfc(value, MAX_ID_CODE_POINTS);
  const codePoints = id === undefined ? Infinity : [...id].length;
  if (id === undefined || codePoints < 1 || codePoints > MAX_ID_CODE_POINTS || UNPRINTABLE.test(id)) {
    throw new RealtimeError(
      "BAD_USER_INPUT",
      `Cannot use ${JSON.stringify(value.slice(0, 40))} as a ${what}: ` +
        `must be 1 to ${MAX_ID_CODE_POINTS} characters without white space or control characters`,
    );
  }
  return id;
}
