import { notImplemented } from "../core/errors.ts";
import type { Delivery } from "../core/hub.ts";
import type { Builder } from "./builder.ts";
import { LiveSource } from "./live_source.ts";
import { messageOf, type MessageRef } from "./message.ts";

/** Adds the subscription `messages`. */
export function addMessagesSubscription(builder: Builder, message: MessageRef): void {
  builder.subscriptionField("messages", (t) =>
    t.field({
      type: message,
      description: "Messages as they are sent, in the one order all subscribers see. Each frame's " +
        "`extensions.cursor` says where you are; `extensions.gap: true` that something before it was lost. Errors: " +
        "`FORBIDDEN` without the right to read, `BAD_USER_INPUT`, `SUBSCRIPTION_LIMIT` (with `limit`).",
      args: {
        room: t.arg.id({
          description: "The room whose messages to get, together with those to everyone; without it only the latter.",
        }),
        after: t.arg({
          type: "Cursor",
          description:
            "Begin with what came after this cursor, then go on live, without a gap or a repeat. A cursor too " +
            "old does not fail: it goes on from the oldest kept, with `extensions.recovered: false`. " +
            "Not built yet: `NOT_IMPLEMENTED`.",
        }),
        last: t.arg.int({
          description: "Begin with the room's newest so many messages, at most 100. Excludes `after`. " +
            "Not built yet: `NOT_IMPLEMENTED`.",
        }),
        join: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Hold a membership of the room while subscribed. Not built yet: `NOT_IMPLEMENTED`.",
        }),
        event: t.arg.string({ description: "Only messages that `broadcast` gave this event name." }),
      },
      subscribe: async (_root, { room, event, after, last, join }, { rooms, viewer }) => {
        if (typeof after === "string") throw notImplemented("messages(after:)");
        if (typeof last === "number") throw notImplemented("messages(last:)");
        if (join) throw notImplemented("messages(join: true)");
        return new LiveSource(await rooms.openMessages(viewer, room ?? null, event ?? null));
      },
      resolve: (delivery: Delivery) => messageOf(delivery),
    }));
}
