import type { MemberRecord } from "../core/presence.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Builder } from "./builder.ts";

/** A member and the room they are in. */
export interface MemberSource {
  readonly room: RoomName;
  readonly record: MemberRecord;
}

/** The type `Member`. */
export type MemberRef = ReturnType<typeof addMember>;

/** Adds `Member`. */
export function addMember(builder: Builder) {
  return builder.objectRef<MemberSource>("Member").implement({
    description: "A user in a room: one member, whatever the number of tabs and devices.",
    fields: (t) => ({
      id: t.id({
        description: "Made of room and user, the same as long as both are: the cache key.",
        // The room is escaped, so the first slash ends it; a user id may hold anything.
        resolve: ({ room, record }) => `${encodeURIComponent(room)}/${record.userId}`,
      }),
      userId: t.id({ description: "The user.", resolve: ({ record }) => record.userId }),
      joinedAt: t.field({
        type: "DateTime",
        description: "When the user became a member; a reconnect within the grace does not change it.",
        resolve: ({ record }) => new Date(record.joinedAtMs),
      }),
      sessionCount: t.int({
        description: "How many of the user's sessions hold the membership, over all nodes. 0 while it waits for a " +
          "reconnect, or is held by a join over HTTP alone.",
        resolve: ({ record }) => record.sessionCount,
      }),
      state: t.field({
        type: "JSON",
        nullable: true,
        description: "What the user last set with `setPresence` (typing, away, a caret), at most 1 KiB; null when " +
          "nothing is set. Gone when the session that set it ends.",
        resolve: ({ record: { state } }) => state === null ? null : JSON.parse(state),
      }),
    }),
  });
}
