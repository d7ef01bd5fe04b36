import type { Position } from "./position.ts";
import type { RoomName } from "./room_name.ts";
import { eventsOf, EVERYONE, messagesOf, type Stream } from "./stream.ts";

/**
 * What one subscription follows: a stream, or several merged into one order.
 *
 * `messages(room)` follows the room's stream and the stream to everyone, merged once
 * per node in the order the hub delivers.
 */
export interface Feed {
  /** The stream that gives the feed its identity; always the first of `streams`. */
  readonly key: Stream;
  readonly streams: readonly Stream[];
}

/** One position for each of a feed's streams, in the same order. */
export type FeedPosition = readonly Position[];

/** Where in a feed a subscription begins. */
export type FeedStart =
  | { readonly kind: "now" }
  /** Behind a position the client has come to: a resume. */
  | { readonly kind: "after"; readonly position: FeedPosition }
  /** With the newest so many of the feed's own stream. */
  | { readonly kind: "last"; readonly count: number }
  /** A resume from a place nobody can tell any more: from now on, and something was missed. */
  | { readonly kind: "lost"; readonly cursor: string };

/** What `messages(room)` follows. */
export function messagesFeed(room: RoomName): Feed {
  return { key: messagesOf(room), streams: [messagesOf(room), EVERYONE] };
}

/** What `messages` without a room follows. */
export function everyoneFeed(): Feed {
  return { key: EVERYONE, streams: [EVERYONE] };
}

/** What `roomEvents(room)` follows. */
export function eventsFeed(room: RoomName): Feed {
  return { key: eventsOf(room), streams: [eventsOf(room)] };
}
