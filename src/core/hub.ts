import { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import type { StreamEntry, StreamLog } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import { decodeEntry } from "./event.ts";
import type { Feed, FeedPosition, FeedStart } from "./feed.ts";
import { type ResolvedStart, resolveStart } from "./feed_start.ts";
import { OpenFeed, type OpenFeedDeps, Place } from "./open_feed.ts";
import type { Position } from "./position.ts";
import { EVERYONE, type Stream } from "./stream.ts";
import { StreamReader } from "./stream_reader.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * Somebody who follows a feed. Called synchronously, in the feed's order.
 *
 * A reader that throws is logged and harms nobody else.
 */
export interface FeedReader {
  deliver(delivery: Delivery): void;
  /** Something was lost for good between the last delivery and the next. */
  gap(): void;
}

/** A reader's place in a feed. */
export interface Attachment {
  /** Everything up to here has been delivered; right after attaching, nothing has, and the first delivery is behind it. */
  readonly position: FeedPosition;
  /** The same as clients keep it. */
  readonly cursor: string;
  /** Ends the deliveries at once; calling it twice is safe. */
  detach(): void;
}

/** What the hub needs. */
export interface HubDeps {
  readonly log: StreamLog;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * All of this node's readers, one engine subscription per stream.
 *
 * The first reader of a feed opens its streams, the last one closes them. The stream
 * to everyone stays open for as long as the hub does: every room's feed needs it.
 */
export class Hub {
  readonly #deps: HubDeps;
  readonly #feeds = new Map<Stream, OpenFeed>();
  readonly #feedDeps: OpenFeedDeps;
  readonly #everyone: StreamReader;
  #closed = false;

  constructor(deps: HubDeps) {
    this.#deps = deps;
    this.#feedDeps = { ...deps, onUnused: (feed) => this.#drop(feed) };
    this.#everyone = new StreamReader(EVERYONE, {
      deliver: (entry) => this.#deliverToEveryone(entry),
      gap: () => {
        for (const feed of this.#feeds.values()) feed.gapInEveryone();
      },
    }, deps);
  }

  /** Opens the stream to everyone. Called once, before any `attach`. */
  open(): Promise<void> {
    return this.#everyone.open();
  }

  /** Ends every delivery; nobody can attach any more. */
  close(): void {
    this.#closed = true;
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.#everyone.close();
  }

  /** Where the messages to everyone stand on this node. */
  get everyonePosition(): Position {
    return this.#everyone.position;
  }

  /** How many feeds have a reader on this node. */
  get openFeeds(): number {
    return this.#feeds.size;
  }

  /** How many readers an entry of this stream is handed to on this node, and at least 1. */
  readersOf(stream: Stream): number {
    return stream === EVERYONE ? Math.max(1, this.#feeds.size) : this.#feeds.get(stream)?.users ?? 1;
  }

  /**
   * Begins to deliver a feed to a reader. Resolves once live.
   *
   * @throws as {@linkcode StreamLog.subscribe} does, and `SHUTTING_DOWN` once the hub is
   * closed; then nothing is left behind.
   */
  async attach(feed: Feed, reader: FeedReader): Promise<Attachment> {
    if (this.#closed) throw shuttingDown(feed);
    const open = this.#feeds.get(feed.key) ?? this.#open(feed);
    open.users++;
    try {
      await open.ready;
      if (this.#closed) throw shuttingDown(feed);
    } catch (error) {
      open.leave();
      throw error;
    }
    const place = new Place(open, reader);
    open.add(place);
    return place;
  }

  /** What a reader of a feed missed from one place up to another. */
  backlog(feed: Feed, from: FeedPosition, to: FeedPosition): Backlog {
    return new Backlog({ log: this.#deps.log, feed, from, to });
  }

  /** Where a subscription that begins like this reads on from. */
  resolveStart(feed: Feed, start: FeedStart, live: FeedPosition): Promise<ResolvedStart> {
    return resolveStart(this.#deps.log, feed, start, live);
  }

  #open(feed: Feed): OpenFeed {
    const open = new OpenFeed(feed, this.#everyone, this.#feedDeps);
    this.#feeds.set(feed.key, open);
    return open;
  }

  #drop(open: OpenFeed): void {
    if (this.#feeds.get(open.key) === open) this.#feeds.delete(open.key);
  }

  #deliverToEveryone(entry: StreamEntry): void {
    const publication = decodeEntry(EVERYONE, entry);
    for (const feed of this.#feeds.values()) feed.deliverEveryone(publication);
  }
}

function shuttingDown(feed: Feed): RealtimeError {
  return new RealtimeError("SHUTTING_DOWN", `Cannot follow "${feed.key}": this node is shutting down`);
}
