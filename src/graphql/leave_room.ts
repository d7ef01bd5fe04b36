import type { LeftRoom } from "../core/rooms.ts";
import type { Builder } from "./builder.ts";

/** Adds the mutation `leaveRoom` and its payload. */
export function addLeaveRoom(builder: Builder): void {
  const payload = builder.objectRef<LeftRoom>("LeaveRoomPayload").implement({
    description: "Whether there was something to leave.",
    fields: (t) => ({
      success: t.boolean({
        description: "False when you were not a member, which is no error.",
        resolve: ({ wasMember }) => wasMember,
      }),
      room: t.id({ description: "The room, as its name is written.", resolve: ({ room }) => room }),
    }),
  });
  builder.mutationField("leaveRoom", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description: "Ends what this session holds of your membership; over HTTP without `x-session-id`, what all your " +
        "sessions hold. Others see `UserLeft` at once when nothing holds it any more. Subscriptions stay open, but hold " +
        "no membership until this session joins again. " +
        "Errors: `BAD_USER_INPUT` when the name is not valid, `RATE_LIMITED` (with `retryAfterMs`).",
      args: { room: t.arg.id({ required: true, description: "The room's name." }) },
      resolve: (_root, { room }, { rooms, viewer }) => rooms.leave(viewer, room),
    }));
}
