import type { StreamEntry, StreamLog } from "./engine.ts";
import { formatCursor } from "./cursor.ts";
import { decodeEntry } from "./event.ts";
import type { Feed, FeedPosition } from "./feed.ts";
import type { Delivery } from "./delivery.ts";
import { type Position, samePosition } from "./position.ts";

/** A part of what a reader missed. */
export interface BacklogPage {
  /** In the order of the feed: its own stream first, then the messages to everyone. */
  readonly deliveries: readonly Delivery[];
  /** True when something before or among them is no longer kept. */
  readonly gap: boolean;
}

/** What a backlog is read from, and between where and where. */
export interface BacklogDeps {
  readonly log: StreamLog;
  readonly feed: Feed;
  /** Where the reader stands; everything behind it is missed. */
  readonly from: FeedPosition;
  /** Where the node's live delivery takes over: exactly up to here is read. */
  readonly to: FeedPosition;
}

/**
 * What one reader missed of a feed, page by page.
 *
 * Each delivery carries the reader's own pair of positions: what it has of the feed's
 * own stream, and what it has of the messages to everyone.
 */
export class Backlog {
  readonly #log: StreamLog;
  readonly #feed: Feed;
  readonly #position: Position[];
  /** For each stream that has forked: what the reader had before it. */
  readonly #notBeforeUs: number[] = [];
  #to: FeedPosition;

  constructor({ log, feed, from, to }: BacklogDeps) {
    this.#log = log;
    this.#feed = feed;
    this.#position = [...from];
    this.#to = to;
  }

  /** Where the reader stands once it has everything that was read. */
  get position(): FeedPosition {
    return [...this.#position];
  }

  /** The reader has come to here by live delivery: it is not read again. */
  advance(position: FeedPosition): void {
    for (const [index, one] of position.entries()) {
      if (!this.holds(index, one)) this.#position[index] = one;
    }
  }

  /** Goes on to a later place: the live events up to it were not kept. */
  extend(to: FeedPosition): void {
    this.#to = to;
  }

  /** Whether the reader has this already: live delivery repeats it. */
  holds(streamIndex: number, position: Position): boolean {
    const own = this.#position[streamIndex]!;
    return own.epoch === position.epoch && position.offset <= own.offset;
  }

  /** The next page, of at most so many deliveries; undefined when everything has been read. */
  async next(limit: number): Promise<BacklogPage | undefined> {
    for (const [index, stream] of this.#feed.streams.entries()) {
      const from = this.#position[index]!;
      const to = this.#to[index]!;
      if (samePosition(from, to)) continue;
      const { entries, reset, top } = await this.#log.read(stream, { after: from, limit });
      // A node that lags behind the engine: the live delivery will come to where the reader is.
      if (reset === null && from.epoch === to.epoch && from.offset > to.offset) continue;
      // After a fork the oldest kept entries may be ones the reader had before it.
      if (reset === "LOST") this.#notBeforeUs[index] = from.timeUs;
      const missed = entries.filter((entry) => isWithin(entry, to));
      const deliveries: Delivery[] = [];
      for (const entry of missed) {
        this.#position[index] = entry.position;
        if (entry.position.timeUs > (this.#notBeforeUs[index] ?? 0)) deliveries.push(this.#deliver(index, entry));
      }
      // Nothing more up to there, or nothing that is kept: the rest comes live.
      const last = entries.at(-1)?.position ?? top;
      if (missed.length < entries.length || entries.length < limit || samePosition(last, top)) {
        this.#position[index] = to;
      }
      if (deliveries.length > 0 || reset !== null) return { deliveries, gap: reset !== null };
    }
    return undefined;
  }

  #deliver(index: number, entry: StreamEntry): Delivery {
    const { position } = this;
    return {
      publication: decodeEntry(this.#feed.streams[index]!, entry),
      position,
      cursor: formatCursor(this.#feed, position),
    };
  }
}

/** After a reset the entries may be of an epoch the node has not come to: they come live. */
function isWithin({ position }: StreamEntry, to: Position): boolean {
  return position.epoch === to.epoch && position.offset <= to.offset;
}
