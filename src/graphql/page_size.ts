import { RealtimeError } from "../core/errors.ts";

/** The most members, messages or rooms one page holds. */
export const MAX_PAGE = 300;

/**
 * Checks how many a page is to hold.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`
 */
export function checkPageSize(first: number, what: string): number {
  if (first >= 1 && first <= MAX_PAGE) return first;
  throw new RealtimeError("BAD_USER_INPUT", `Cannot list ${first} ${what}: first must be 1 to ${MAX_PAGE}`);
}
