import type { GraphQLField } from "graphql";
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

/** How many a field lists when its `first` or `last` is this, or when it was given neither. */
export type PageSize = (asked: number | undefined) => number;

/** The `extensions` of a field whose connection has a page of so many, unless its arguments say otherwise. */
export function pageOf(defaultSize: number): { readonly pageSize: PageSize } {
  // A page nobody can have is refused by the field itself.
  return { pageSize: (asked = defaultSize) => Math.min(Math.max(asked, 0), MAX_PAGE) };
}

/** The `extensions` of a field that lists so many at most. */
export function atMost(size: number): { readonly pageSize: PageSize } {
  return { pageSize: () => size };
}

/** How many a field lists; undefined when it does not say. */
export function pageSizeOf({ extensions }: GraphQLField<unknown, unknown>): PageSize | undefined {
  const { pageSize } = extensions as { readonly pageSize?: PageSize };
  return pageSize;
}
