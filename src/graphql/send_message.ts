import type { SentMessage } from "../core/messages.ts";
import { roomOf } from "../core/stream.ts";
import { attemptOf } from "./attempt.ts";
import type { Builder } from "./builder.ts";
import type { MessageRef } from "./message.ts";
import { PLAIN } from "./plain.ts";

/** Adds the mutation `sendMessage` and its payload. */
export function addSendMessage(builder: Builder, message: MessageRef): void {
  const payload = builder.objectRef<SentMessage>("SendMessagePayload").implement({
    description: "The message as its readers get it.",
    extensions: PLAIN,
    fields: (t) => ({
      success: t.boolean({
        description: "Always true: what is refused comes as an error with a code.",
        resolve: () => true,
      }),
      room: t.id({
        description: "The room it was sent to, as its name is written.",
        // Sent to a room, so the stream is one's.
        resolve: ({ view }) => roomOf(view.publication.stream)!,
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
  builder.mutationField("sendMessage", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Sends a message to everyone who subscribes to the room; you need not be a member. Answers once the " +
        "message has its place in the room's order. Errors: `FORBIDDEN` without the right to send there, " +
        "`PAYLOAD_TOO_LARGE` (with `limit`) above 64 KiB of content and data, `BAD_USER_INPUT`, " +
        "`IDEMPOTENCY_KEY_REUSED`, `RATE_LIMITED` and `ENGINE_UNAVAILABLE` (with `retryAfterMs`), " +
        "`ENGINE_OUTCOME_UNKNOWN` (repeat it only with a key).",
      args: {
        room: t.arg.id({ required: true, description: "The room's name, 1 to 128 characters." }),
        content: t.arg.string({ required: true, description: "The text; may be empty." }),
        data: t.arg({ type: "JSON", description: "Anything to go with the text; counts towards the 64 KiB." }),
        excludeSelf: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Leave out the session that sends, live and on replay. Your other tabs and devices get it. " +
            "Over HTTP the session is the one of the `x-session-id` header; without it `BAD_USER_INPUT`.",
        }),
        idempotencyKey: t.arg.string({
          description: "1 to 64 characters that make the message happen once: repeating yourself in this room with " +
            "the same key within 5 minutes answers with the first message; with the same key and other arguments " +
            "`IDEMPOTENCY_KEY_REUSED`. Readers see it, so keep secrets out of it.",
        }),
      },
      resolve: (_root, { data, idempotencyKey, ...args }, context, info) =>
        context.rooms.send(context.viewer, {
          ...args,
          event: null,
          data: data ?? null,
          idempotencyKey: idempotencyKey ?? null,
          attempt: attemptOf(context, info),
        }),
    }));
}
