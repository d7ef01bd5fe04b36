import { formatCursor, parseCursor } from "./cursor.ts";
import type { StreamLog } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import type { Feed, FeedPosition, FeedStart } from "./feed.ts";
import type { Position } from "./position.ts";

/** A start, as a position to read on from. */
export interface ResolvedStart {
  readonly from: FeedPosition;
  /** Whether the subscription resumes: then its first frame says whether all was recovered. */
  readonly resumes: boolean;
  /** What the client is told that it begins behind. */
  readonly cursor: string;
  /** Whether it is known already that something was missed. */
  readonly lost: boolean;
}

/** The most messages a subscription can begin with. */
const MAX_LAST = 100;
/** Characters kept of what a client took for a cursor. */
const MAX_LOST_CHARACTERS = 256;

/**
 * Reads where a subscription is asked to begin.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT` for both at once, for a number out of range
 * and for what is not a cursor of this feed
 */
export function parseStart(
  feed: Feed,
  asked: { readonly after: string | null; readonly last: number | null },
): FeedStart {
  const { after, last } = asked;
  if (after !== null && last !== null) {
    throw new RealtimeError("BAD_USER_INPUT", "Cannot begin both after a cursor and with the last messages: give one");
  }
  if (last !== null && (last < 1 || last > MAX_LAST)) {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot begin with the last ${last} messages: must be 1 to ${MAX_LAST}`);
  }
  if (last !== null) return { kind: "last", count: last };
  return after === null ? { kind: "now" } : { kind: "after", position: parseCursor(feed, after) };
}

/** Where a client that comes back goes on. What cannot be read counts as lost, and is no error. */
export function parseResume(feed: Feed, cursor: string): FeedStart {
  try {
    return { kind: "after", position: parseCursor(feed, cursor) };
  } catch {
    // Cut short it is as little a cursor as before, and nobody's memory can be filled with it.
    return { kind: "lost", cursor: cursor.slice(0, MAX_LOST_CHARACTERS) };
  }
}

/** Finds where to read on from, given where the live delivery has taken over. */
export async function resolveStart(
  log: StreamLog,
  feed: Feed,
  start: FeedStart,
  live: FeedPosition,
): Promise<ResolvedStart> {
  switch (start.kind) {
    case "now":
      return { from: live, cursor: formatCursor(feed, live), resumes: false, lost: false };
    case "lost":
      // Its own place, until it has been told of the loss: it may come back once more before.
      return { from: live, cursor: start.cursor, resumes: true, lost: true };
    case "after":
      return { from: start.position, cursor: formatCursor(feed, start.position), resumes: true, lost: false };
    case "last": {
      const [own, ...others] = live;
      const { entries } = await log.read(feed.key, { limit: start.count });
      const first = entries.find(({ position }) => position.epoch === own!.epoch && position.offset <= own!.offset);
      const from = [first === undefined ? own! : placeBefore(first), ...others];
      return { from, cursor: formatCursor(feed, from), resumes: false, lost: false };
    }
  }
}

function placeBefore({ position, previousTimeUs }: { readonly position: Position; readonly previousTimeUs: number }) {
  return { epoch: position.epoch, offset: position.offset - 1, timeUs: previousTimeUs };
}
