import type { LeftRoom } from "../core/rooms.ts";
import type { Builder } from "./builder.ts";

/** The source of `DisconnectUserPayload`. */
export interface DisconnectedUser {
  readonly wasConnected: boolean;
}

/** Adds the mutations `removeFromRoom` and `disconnectUser`. */
export function addModeration(builder: Builder): void {
  addRemoveFromRoom(builder);
  addDisconnectUser(builder);
}

function addRemoveFromRoom(builder: Builder): void {
  const payload = builder.objectRef<LeftRoom>("RemoveFromRoomPayload").implement({
    description: "Whether there was somebody to remove.",
    fields: (t) => ({
      success: t.boolean({
        description: "False when the user was not a member, which is no error.",
        resolve: ({ wasMember }) => wasMember,
      }),
      room: t.id({ description: "The room, as its name is written.", resolve: ({ room }) => room }),
    }),
  });
  builder.mutationField("removeFromRoom", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Ends a user's membership and their subscriptions on the room, on every node. No ban: the user may " +
        "come back. Needs the scope `moderate`: `FORBIDDEN` without it. `RATE_LIMITED` (with `retryAfterMs`).",
      args: {
        room: t.arg.id({ required: true, description: "The room's name." }),
        userId: t.arg.id({ required: true, description: "Whom to remove." }),
        reason: t.arg.string({ description: "Why, for the user and the log." }),
      },
      resolve: (_root, { room, userId, reason }, { rooms, viewer }) =>
        rooms.remove(viewer, { room, userId, reason: reason ?? null }),
    }));
}

function addDisconnectUser(builder: Builder): void {
  const payload = builder.objectRef<DisconnectedUser>("DisconnectUserPayload").implement({
    description: "Whether there was a connection to close.",
    fields: (t) => ({
      success: t.boolean({
        description: "False when the user had no connection, which is no error.",
        resolve: ({ wasConnected }) => wasConnected,
      }),
    }),
  });
  builder.mutationField("disconnectUser", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Closes every connection of a user on every node with 4401, after which stock clients do not come back " +
        "by themselves. Needs the scope `admin`: `FORBIDDEN` without it. `RATE_LIMITED` (with `retryAfterMs`).",
      args: {
        userId: t.arg.id({ required: true, description: "Whom to disconnect." }),
        reason: t.arg.string({ description: "Why, for the user and the log." }),
      },
      resolve: (_root, { userId, reason }, { rooms, viewer }) =>
        rooms.disconnect(viewer, { userId, reason: reason ?? null }),
    }));
}
