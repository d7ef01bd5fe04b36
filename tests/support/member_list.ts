/** A member as `Room.members` and snapshots tell of it; without `state` when that was not asked for. */
export type KnownMember = { readonly userId: string; readonly state?: unknown };

/** Who is in, each with the state as JSON; undefined when that cannot be known. */
export type MemberList = Map<string, string | undefined>;

/** The list that members make. */
export function listOf(members: readonly KnownMember[]): MemberList {
  return new Map(members.map(({ userId, state }) => [userId, textOf(state)]));
}

/** The list of these users, when their states cannot be known. */
export function unknownStates(userIds: Iterable<string>): MemberList {
  return new Map([...userIds].map((userId) => [userId, undefined]));
}

/** Who is in, as text. */
export function usersOf(list: MemberList): string {
  return [...list.keys()].sort().join(" ");
}

/** A state as text; a field that was not asked for cannot be known. */
export function textOf(state: unknown): string | undefined {
  return state === undefined ? undefined : JSON.stringify(state);
}
