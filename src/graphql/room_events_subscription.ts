import type { Delivery } from "../core/delivery.ts";
import type { Builder } from "./builder.ts";
import { LiveSource } from "./live_source.ts";
import { roomEventOf, type RoomEventRefs } from "./room_event.ts";

/** Adds the subscription `roomEvents`. */
export function addRoomEventsSubscription(builder: Builder, refs: RoomEventRefs): void {
  builder.subscriptionField("roomEvents", (t) =>
    t.field({
      type: refs.event,
      description: "Joins, leaves and changed states as they happen, once per user. You need not be a member, and " +
        "your own are among them. Errors: `FORBIDDEN` without the right to read the room, `BAD_USER_INPUT`, `SUBSCRIPTION_LIMIT` " +
        "(with `limit`).",
      args: {
        room: t.arg.id({ required: true, description: "The room's name, 1 to 128 characters." }),
        after: t.arg({
          type: "Cursor",
          description: "Begin with the events after this cursor, then go on live, without a gap or a repeat.",
        }),
        types: t.arg({
          type: [refs.type],
          required: true,
          defaultValue: ["JOINED", "LEFT"],
          description: "Which types of event to get, at least one.",
        }),
      },
      subscribe: async (_root, { room, after, types }, { rooms, viewer }) => {
        return new LiveSource(await rooms.openEvents(viewer, { room, kinds: types, after: after ?? null }));
      },
      resolve: (delivery: Delivery) => roomEventOf(delivery),
    }));
}
