import type { RoomName } from "./room_name.ts";

/**
 * The name of one ordered log.
 *
 * A room has two (its messages, its joins and leaves); one more holds the messages
 * that go to everyone.
 */
export type Stream = `messages:${string}` | `events:${string}` | "everyone";

/** The messages that were sent to everyone. */
export const EVERYONE: Stream = "everyone";

/** The stream of a room's own messages. */
export function messagesOf(room: RoomName): Stream {
  return `messages:${room}`;
}

/** The stream of a room's joins and leaves. */
export function eventsOf(room: RoomName): Stream {
  return `events:${room}`;
}

/** The room a stream belongs to, or null for the stream to everyone. */
export function roomOf(stream: Stream): RoomName | null {
  const colon = stream.indexOf(":");
  // Only the two makers above build names with a colon, from a parsed room name.
  return colon === -1 ? null : stream.slice(colon + 1) as RoomName;
}
