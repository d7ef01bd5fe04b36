import { messageId, timestampMs } from "../core/event.ts";
import type { Delivery } from "../core/delivery.ts";
import type { MessageView } from "../core/messages.ts";
import { roomOf } from "../core/stream.ts";
import type { Builder } from "./builder.ts";
import { PLAIN } from "./plain.ts";

/** The type `Message`. */
export type MessageRef = ReturnType<typeof addMessage>;

/** Adds `Message`, resolved from core's view of one. */
export function addMessage(builder: Builder) {
  return builder.objectRef<MessageView>("Message").implement({
    description: "Something that was said, to one room or to everyone. It never changes once sent.",
    extensions: PLAIN,
    fields: (t) => ({
      id: t.id({
        description: "Unique over all rooms and for good: the cache key, and the way to recognise a message that " +
          "arrives twice after a reconnect.",
        resolve: ({ publication }) => messageId(publication.position),
      }),
      room: t.id({
        nullable: true,
        description: "The room it was sent to; null when it was sent to everyone.",
        resolve: ({ publication }) => roomOf(publication.stream),
      }),
      senderId: t.id({
        description: "The user who sent it, as the server authenticated them; `server` when the server itself did.",
        resolve: ({ publication }) => publication.event.senderId,
      }),
      content: t.string({
        description: "The text, exactly as sent; empty when a broadcast carries only `data`.",
        resolve: ({ publication }) => publication.event.content,
      }),
      timestamp: t.field({
        type: "DateTime",
        description: "When the server accepted it. Never earlier than that of the message before it in the same room.",
        resolve: ({ publication }) => new Date(timestampMs(publication.position)),
      }),
      event: t.string({
        nullable: true,
        description: "The name `broadcast` gave it, for applications that tell kinds of messages apart; " +
          "null for `sendMessage`.",
        resolve: ({ publication }) => publication.event.event,
      }),
      data: t.field({
        type: "JSON",
        nullable: true,
        description: "What the sender attached; null when nothing.",
        resolve: ({ publication }) => publication.event.data,
      }),
      cursor: t.field({
        type: "Cursor",
        description: "Where this message stands. A subscription `after` it begins with the next one.",
        resolve: ({ cursor }) => cursor,
      }),
      idempotencyKey: t.string({
        nullable: true,
        description: "The key its sender gave, or null. A client that drew the message before it was accepted " +
          "finds its draft by this. Every reader sees it.",
        resolve: ({ publication }) => publication.event.idempotencyKey,
      }),
    }),
  });
}

/**
 * Takes a delivery for the message it is.
 *
 * @throws {TypeError} when the feed delivered anything else, which would be a bug of
 * the feed's filter
 */
export function messageOf(delivery: Delivery): MessageView {
  if (isMessage(delivery)) return delivery;
  throw new TypeError(`Cannot take a "${delivery.publication.event.kind}" for a message`);
}

function isMessage(delivery: Delivery): delivery is Delivery & MessageView {
  return delivery.publication.event.kind === "message";
}
