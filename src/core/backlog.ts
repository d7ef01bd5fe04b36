import type { StreamEntry, StreamLog, StreamPage } from "./engine.ts";
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

/** What is read at once, in entries and in bytes of their texts: all of it is held until the reader has taken it. */
const PAGE_ENTRIES = 64;
const PAGE_BYTES = 262_144;

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
  /** Streams of which it has been told already that something is missing. */
  readonly #knownGaps = new Set<number>();
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

  /**
   * Whether every stream reaches back to where the reader stands: asked before the first page.
   *
   * What it finds missing is not a gap of a page any more.
   */
  async reachesBack(): Promise<boolean> {
    for (const [index, stream] of this.#feed.streams.entries()) {
      const after = this.#position[index]!;
      if (samePosition(after, this.#to[index]!)) continue;
      const { reset } = await this.#log.read(stream, { after, limit: 1 });
      if (reset !== null) this.#knownGaps.add(index);
    }
    return this.#knownGaps.size === 0;
  }

  /** The next page; undefined when everything has been read. */
  async next(): Promise<BacklogPage | undefined> {
    for (const [index, stream] of this.#feed.streams.entries()) {
      const to = this.#to[index]!;
      // Several pages may have nothing in them that the reader has not.
      while (!samePosition(this.#position[index]!, to)) {
        const from = this.#position[index]!;
        const page = await this.#log.read(stream, { after: from, limit: PAGE_ENTRIES, maxBytes: PAGE_BYTES });
        // A node that lags behind the engine: the live delivery will come to where the reader is.
        if (page.reset === null && from.epoch === to.epoch && from.offset > to.offset) break;
        const deliveries = this.#take(index, page, to);
        const gap = page.reset !== null && !this.#knownGaps.delete(index);
        if (deliveries.length > 0 || gap) return { deliveries, gap };
      }
    }
    return undefined;
  }

  /** Moves on by what a page holds; what of it the reader has not had. */
  #take(index: number, { entries, reset, top }: StreamPage, to: Position): readonly Delivery[] {
    // After a fork the oldest kept entries may be ones the reader had before it.
    if (reset === "LOST") this.#notBeforeUs[index] = this.#position[index]!.timeUs;
    const missed = entries.filter((entry) => isWithin(entry, to));
    const deliveries: Delivery[] = [];
    for (const entry of missed) {
      this.#position[index] = entry.position;
      if (entry.position.timeUs > (this.#notBeforeUs[index] ?? 0)) deliveries.push(this.#deliver(index, entry));
    }
    // Nothing more up to there, or nothing that is kept: the rest comes live.
    const last = entries.at(-1)?.position ?? top;
    if (missed.length < entries.length || entries.length === 0 || samePosition(last, top)) this.#position[index] = to;
    return deliveries;
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
