import type { SentMessage } from "../core/messages.ts";
import { roomOf } from "../core/stream.ts";
import { attemptOf } from "./attempt.ts";
import type { Builder } from "./builder.ts";
import type { MessageRef } from "./message.ts";
import { PLAIN } from "./plain.ts";

/** Adds the mutation `broadcast` and its payload. */
export function addBroadcast(builder: Builder, message: MessageRef): void {
  const payload = builder.objectRef<SentMessage>("BroadcastPayload").implement({
    description: "The broadcast message as its readers get it.",
    extensions: PLAIN,
    fields: (t) => ({
      success: t.boolean({
        description: "Always true: what is refused comes as an error with a code.",
        resolve: () => true,
      }),
      room: t.id({
        nullable: true,
        description: "The room it went to; null when it went to everyone.",
        resolve: ({ view }) => roomOf(view.publication.stream),
      }),
      message: t.field({
        type: message,
        description: "The accepted message; the first one when this was a repeat.",
        resolve: ({ view }) => view,
      }),
      duplicate: t.boolean({
        description: "Whether the idempotency key was known: then nothing new was sent.",
        resolve: ({ duplicate }) => duplicate,
      }),
    }),
  });
  builder.mutationField("broadcast", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Pushes an application's event to one room, or to every subscriber of `messages` on every node. Meant " +
        "for backend services: needs the scope `broadcast`, else `FORBIDDEN`. Otherwise the errors are those of " +
        "`sendMessage`.",
      args: {
        room: t.arg.id({ description: "The room's name; without it the message goes to everyone." }),
        event: t.arg.string({
          description: "What kind of event it is, 1 to 128 characters; subscribers can filter by it.",
        }),
        content: t.arg.string({ required: true, defaultValue: "", description: "A text, when there is one." }),
        data: t.arg({ type: "JSON", description: "What the event carries; with the text at most 64 KiB." }),
        excludeSelf: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Leave out the session that sends, as in `sendMessage`.",
        }),
        idempotencyKey: t.arg.string({
          description: "Makes the broadcast happen once, as in `sendMessage`; keys of rooms and of everyone are apart.",
        }),
      },
      resolve: (_root, { room, event, data, idempotencyKey, ...args }, context, info) =>
        context.rooms.broadcast(context.viewer, {
          ...args,
          room: room ?? null,
          event: event ?? null,
          data: data ?? null,
          idempotencyKey: idempotencyKey ?? null,
          attempt: attemptOf(context, info),
        }),
    }));
}
