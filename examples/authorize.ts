/**
 * Rooms that are for teams alone, with the program as the judge.
 *
 * @module
 */
// #region authorize
import { authorizeByScope, createRooms, type RoomsOptions } from "../src/mod.ts";

/** Who is in which team; a program would ask its database. */
const teams = new Map([["team-red", new Set(["ann", "ben"])]]);

/** A server whose rooms are for those of the team of that name. */
export function createTeamServer(options: RoomsOptions = {}) {
  const server = createRooms({
    ...options,
    auth: {
      ...options.auth,
      authorize: (principal, action) => {
        // First what the token says: its scopes, and its claim `rooms`.
        if (!authorizeByScope(principal, action)) return false;
        // The program itself asks too, for `broadcastToRoom` and `broadcastToAll`.
        if (principal.userId === "server" || !("room" in action) || action.room === null) return true;
        return teams.get(action.room)?.has(principal.userId) ?? false;
      },
    },
  });
  return {
    server,
    /** Nothing of the team's room reaches the user any more from here on. */
    async leaveTeam(team: string, userId: string): Promise<void> {
      teams.get(team)?.delete(userId);
      await server.reauthorize(userId);
    },
  };
}
// #endregion
