import { formatCursor, parseCursor } from "./cursor.ts";
import type { StreamEntry, StreamLog, StreamPage } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import { decodeEntry } from "./event.ts";
import { messagesFeed } from "./feed.ts";
import type { MessageView } from "./messages.ts";
import type { Position } from "./position.ts";
import type { RoomName } from "./room_name.ts";
import { messagesOf } from "./stream.ts";

/** Which messages to list: walking forward (`first`, `after`) or back (`last`, `before`), not both. */
export interface HistoryRange {
  readonly first: number | null;
  readonly after: string | null;
  readonly last: number | null;
  readonly before: string | null;
}

/** A page of a room's own messages, oldest first. */
export interface HistoryPage {
  readonly messages: readonly MessageView[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** What reading history needs. */
export interface HistoryDeps {
  readonly log: StreamLog;
  /** Where the messages to everyone stand on this node. */
  readonly everyonePosition: () => Position;
}

/** Messages of a page nobody gave a size. */
export const DEFAULT_PAGE = 50;
const MAX_PAGE = 300;

/**
 * Reads a page of what the history of a room still holds.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` for a range that is none; `CURSOR_EXPIRED`
 * when the history no longer reaches the cursor
 */
export async function readHistory(room: RoomName, range: HistoryRange, deps: HistoryDeps): Promise<HistoryPage> {
  const { first, after, last, before } = range;
  if ((first !== null || after !== null) && (last !== null || before !== null)) {
    throw refuse("both forward and back: use first with after, or last with before");
  }
  const forward = first !== null || after !== null;
  const limit = checkSize(forward ? first : last);
  const stream = messagesOf(room);
  const feed = messagesFeed(room);
  // The everyone part of every cursor: where it stood when the query began.
  const everyone = deps.everyonePosition();
  const positionOf = (cursor: string): Position => parseCursor(feed, cursor)[0]!;
  const show = (entry: StreamEntry): MessageView => {
    const publication = decodeEntry(stream, entry);
    if (publication.event.kind !== "message") throw new TypeError(`Cannot list a "${publication.event.kind}" event`);
    return {
      publication: { ...publication, event: publication.event },
      cursor: formatCursor(feed, [entry.position, everyone]),
    };
  };

  if (forward) {
    const page = after === null
      ? await readOldest(deps.log, room, limit)
      : requireWhole(await deps.log.read(stream, { after: positionOf(after), limit }), after);
    const end = page.entries.at(-1)?.position.offset ?? page.top.offset;
    return {
      messages: page.entries.map(show),
      hasNextPage: end < page.top.offset,
      hasPreviousPage: page.hasOlder,
    };
  }
  const page = before === null
    ? await deps.log.read(stream, { limit })
    : requireWhole(await deps.log.read(stream, { before: positionOf(before), limit }), before);
  return {
    messages: page.entries.map(show),
    hasNextPage: before !== null && positionOf(before).offset > 0,
    hasPreviousPage: page.hasOlder,
  };
}

/** From before the first entry there ever was: what is trimmed is trimmed. */
async function readOldest(log: StreamLog, room: RoomName, limit: number): Promise<StreamPage> {
  const { epoch } = await log.top(messagesOf(room));
  return await log.read(messagesOf(room), { after: { epoch, offset: 0, timeUs: 0 }, limit });
}

function requireWhole(page: StreamPage, cursor: string): StreamPage {
  if (page.reset === null) return page;
  throw new RealtimeError(
    "CURSOR_EXPIRED",
    `Cannot go on from ${JSON.stringify(cursor)}: the history no longer reaches it`,
  );
}

function checkSize(size: number | null): number {
  if (size === null) return DEFAULT_PAGE;
  if (size >= 1 && size <= MAX_PAGE) return size;
  throw refuse(`${size} at once: must be 1 to ${MAX_PAGE}`);
}

function refuse(reason: string): RealtimeError {
  return new RealtimeError("BAD_USER_INPUT", `Cannot list messages ${reason}`);
}
