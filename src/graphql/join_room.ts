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
        resolve: ({ member: { sessionCount, leasedUntilMs } }) =>
          sessionCount > 0 || leasedUntilMs === null ? null : new Date(leasedUntilMs),
      }),
    }),
  });
  builder.mutationField("joinRoom", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description: "Makes you a member for as long as this session is connected, and 10 seconds longer, so that a " +
        "reconnect is no leave; a session that is continued is a member again. Over HTTP without the `x-session-id` " +
        "of an open connection it lasts for a minute, or as long as you subscribe to the room. Others see " +
        "`UserJoined` once per user. Errors: `FORBIDDEN` without the right to join, `ROOM_LIMIT` (with `limit`) above " +
        "100 rooms a session, `PAYLOAD_TOO_LARGE` (with `limit`) for the state, `RATE_LIMITED` (with `retryAfterMs`), `BAD_USER_INPUT`.",
      args: {
        room: t.arg.id({ required: true, description: "The room's name, 1 to 128 characters." }),
        state: t.arg({
          type: "JSON",
          description: "Your state in the room, as in `setPresence`.",
        }),
      },
      resolve: (_root, { room, state }, { rooms, viewer }) => rooms.join(viewer, room, state ?? null),
    }));
}
