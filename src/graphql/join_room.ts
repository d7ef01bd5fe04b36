import { notImplemented } from "../core/errors.ts";
import type { JoinedRoom } from "../core/rooms.ts";
import type { Builder } from "./builder.ts";
import type { MemberRef } from "./member.ts";

/** Adds the mutation `joinRoom` and its payload. */
export function addJoinRoom(builder: Builder, member: MemberRef): void {
  const payload = builder.objectRef<JoinedRoom>("JoinRoomPayload").implement({
    description: "The membership, and where to listen from.",
    fields: (t) => ({
      success: t.boolean({
        description: "Always true: what is refused comes as an error with a code.",
        resolve: () => true,
      }),
      room: t.id({ description: "The room, as its name is written.", resolve: ({ room }) => room }),
      member: t.field({
        type: member,
        description: "You as a member. Joining again only counts the session.",
        resolve: ({ room, member }) => ({ room, record: member }),
      }),
      cursor: t.field({
        type: "Cursor",
        description: "Where the room's messages stood once you were in: `messages` after it misses nothing.",
        resolve: ({ cursor }) => cursor,
      }),
      expiresAt: t.field({
        type: "DateTime",
        nullable: true,
        description: "When a membership that only a join over HTTP holds will end; null while a session holds it.",
        resolve: () => null,
      }),
    }),
  });
  builder.mutationField("joinRoom", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description: "Makes you a member for as long as this session is connected, and 10 seconds longer, so that a " +
        "reconnect is no leave. Others see `UserJoined` once per user. Errors: `FORBIDDEN` without the right to " +
        "join, `ROOM_LIMIT` (with `limit`) above 100 rooms a session, `BAD_USER_INPUT`. Over HTTP it needs the " +
        "`x-session-id` of an open connection; anything else there is not built yet: `NOT_IMPLEMENTED`.",
      args: {
        room: t.arg.id({ required: true, description: "The room's name, 1 to 128 characters." }),
        state: t.arg({
          type: "JSON",
          description: "The state to begin with, as in `setPresence`. Not built yet: `NOT_IMPLEMENTED`.",
        }),
      },
      resolve: (_root, { room, state }, { rooms, viewer }) => {
        if ((state ?? null) !== null) throw notImplemented("joinRoom(state:)");
        return rooms.join(viewer, room);
      },
    }));
}
