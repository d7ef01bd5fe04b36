import type { Delivery } from "../core/delivery.ts";
import type { Builder } from "./builder.ts";
import { LiveSource } from "./live_source.ts";
import { messageOf, type MessageRef } from "./message.ts";
import { PLAIN } from "./plain.ts";

/** Adds the subscription `messages`. */
export function addMessagesSubscription(builder: Builder, message: MessageRef): void {
  builder.subscriptionField("messages", (t) =>
    t.field({
      type: message,
      extensions: PLAIN,
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
            "old does not fail: it goes on from the oldest kept, and its first frame says " +
            "`extensions.recovered: false`.",
        }),
        last: t.arg.int({
          description: "Begin with the newest so many messages, 1 to 100. Excludes `after`.",
        }),
        join: t.arg.boolean({
          required: true,
          defaultValue: false,
          description:
            "Be a member of the room while subscribed: as with `joinRoom`, and completing the subscription leaves.",
        }),
        event: t.arg.string({ description: "Only messages that `broadcast` gave this event name." }),
      },
      subscribe: async (_root, { room, event, after, last, join }, { rooms, viewer }) => {
        const request = { room: room ?? null, event: event ?? null, after: after ?? null, last: last ?? null, join };
        return new LiveSource(await rooms.openMessages(viewer, request));
      },
      resolve: (delivery: Delivery) => messageOf(delivery),
    }));
}
