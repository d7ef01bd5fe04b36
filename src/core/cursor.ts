import { RealtimeError } from "./errors.ts";
import type { Feed, FeedPosition } from "./feed.ts";
import { shortHash } from "./hash.ts";
import { formatPosition, parsePosition, type Position } from "./position.ts";
import type { Stream } from "./stream.ts";

/** The first character of every cursor; another one means another layout. */
const VERSION = "1";
const SEPARATOR = "~";
/** Enough to tell rooms apart that nobody made to collide: every frame carries it. */
const HASH_CHARACTERS = 6;
/** Longer than any cursor this version writes. */
const MAX_CURSOR_LENGTH = 256;

/**
 * A feed's position as the opaque text clients keep.
 *
 * `1<hash of the feed>~<position>[~<position>]`. The hash keeps another room's
 * cursor from being taken for this one's; the characters need no escaping in JSON,
 * in a URL or in an HTTP header.
 */
export function formatCursor(feed: Feed, position: FeedPosition): string {
  return new CursorWriter(feed).write(position);
}

/**
 * Writes one feed's cursors, one after the other: what does not change between two is
 * kept, and all who come to the same place get one text.
 */
export class CursorWriter {
  readonly #prefix: string;
  #own: Position | undefined;
  /** What stands behind the feed's own position: that of the stream to everyone, which moves seldom. */
  #rest: Position | undefined;
  #restText = "";
  #text = "";

  constructor({ key }: Feed) {
    this.#prefix = cursorPrefix(key) + SEPARATOR;
  }

  write([own, rest]: FeedPosition): string {
    if (own === this.#own && rest === this.#rest) return this.#text;
    this.#own = own;
    if (rest !== this.#rest) {
      this.#rest = rest;
      this.#restText = rest === undefined ? "" : SEPARATOR + formatPosition(rest);
    }
    return this.#text = this.#prefix + formatPosition(own!) + this.#restText;
  }
}

function cursorPrefix(key: Stream): string {
  return VERSION + shortHash(key).slice(-HASH_CHARACTERS);
}

/**
 * Reads a cursor of this feed.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` when it is no cursor, is of another
 * version, or was made for another feed.
 */
export function parseCursor(feed: Feed, text: string): FeedPosition {
  const [head, ...parts] = text.length > MAX_CURSOR_LENGTH ? [""] : text.split(SEPARATOR);
  if (!head!.startsWith(VERSION)) throw refuse(text, "not a cursor of this server");
  if (head !== cursorPrefix(feed.key)) throw refuse(text, `does not belong to "${feed.key}"`);
  const positions = parts.map(parsePosition).filter((one): one is Position => one !== undefined);
  if (positions.length !== parts.length || positions.length !== feed.streams.length) {
    throw refuse(text, "not a cursor of this server");
  }
  return positions;
}

function refuse(text: string, reason: string): RealtimeError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new RealtimeError("BAD_USER_INPUT", `Cannot use ${JSON.stringify(shown)} as a cursor: ${reason}`);
}
