import { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import { CursorWriter } from "./cursor.ts";
import type { Delivery } from "./delivery.ts";
import type { StreamEntry, StreamLog } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import { decodeEntry, type Publication } from "./event.ts";
import { everyoneFeed, type Feed, type FeedPosition, type FeedStart } from "./feed.ts";
import { type ResolvedStart, resolveStart } from "./feed_start.ts";
import type { Position } from "./position.ts";
import { EVERYONE, type Stream } from "./stream.ts";
import { StreamReader } from "./stream_reader.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

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
  readonly #everyone: StreamReader;
  #closed = false;

  constructor(deps: HubDeps) {
    this.#deps = deps;
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

  /**
   * Begins to deliver a feed to a reader. Resolves once live.
   *
   * @throws as {@linkcode StreamLog.subscribe} does, and `SHUTTING_DOWN` once the hub is
   * closed; then nothing is left behind.
   */
  async attach(feed: Feed, reader: FeedReader): Promise<Attachment> {
    if (this.#closed) throw shuttingDown(feed);
    let open = this.#feeds.get(feed.key);
    if (open === undefined) {
      open = new OpenFeed(feed, this.#everyone, this.#deps);
      this.#feeds.set(feed.key, open);
    }
    const opened = open;
    opened.users++;
    const release = (): void => {
      if (--opened.users > 0) return;
      if (this.#feeds.get(feed.key) === opened) this.#feeds.delete(feed.key);
      opened.close();
    };
    try {
      await opened.ready;
      if (this.#closed) throw shuttingDown(feed);
    } catch (error) {
      release();
      throw error;
    }
    const place: Place = { reader, attached: true };
    opened.add(place);
    return {
      get position() {
        return opened.position;
      },
      detach() {
        if (!place.attached) return;
        place.attached = false;
        opened.remove(place);
        release();
      },
    };
  }

  /** What a reader of a feed missed from one place up to another. */
  backlog(feed: Feed, from: FeedPosition, to: FeedPosition): Backlog {
    return new Backlog({ log: this.#deps.log, feed, from, to });
  }

  /** Where a subscription that begins like this reads on from. */
  resolveStart(feed: Feed, start: FeedStart, live: FeedPosition): Promise<ResolvedStart> {
    return resolveStart(this.#deps.log, feed, start, live);
  }

  #deliverToEveryone(entry: StreamEntry): void {
    const publication = decodeEntry(EVERYONE, entry);
    for (const feed of this.#feeds.values()) feed.deliverEveryone(publication);
  }
}

function shuttingDown(feed: Feed): RealtimeError {
  return new RealtimeError("SHUTTING_DOWN", `Cannot follow "${feed.key}": this node is shutting down`);
}

/** Where a reader stands among a feed's readers. */
interface Place {
  readonly reader: FeedReader;
  /** False from the moment it is detached, also for the rest of a delivery under way. */
  attached: boolean;
}

/** A feed that somebody follows: its streams merged, its readers. */
class OpenFeed {
  readonly ready: Promise<void>;
  /** Attached readers and those about to be. */
  users = 0;
  readonly #feed: Feed;
  readonly #everyone: StreamReader;
  readonly #telemetry: Telemetry;
  /** The reader of the feed's own stream; undefined for the feed that has only the stream to everyone. */
  readonly #own: StreamReader | undefined;
  readonly #followsEveryone: boolean;
  readonly #cursors: CursorWriter;
  /** Replaced, never changed, so that a delivery under way is not disturbed. */
  #places: readonly Place[] = [];

  constructor(feed: Feed, everyone: StreamReader, deps: HubDeps) {
    this.#feed = feed;
    this.#everyone = everyone;
    this.#telemetry = deps.telemetry;
    this.#cursors = new CursorWriter(feed);
    this.#followsEveryone = feed.streams.includes(EVERYONE);
    if (feed.key === everyoneFeed().key) {
      this.ready = Promise.resolve();
      return;
    }
    this.#own = new StreamReader(feed.key, {
      deliver: (entry) => this.#deliver(decodeEntry(feed.key, entry)),
      gap: () => this.#gap(),
    }, deps);
    this.ready = this.#own.open();
  }

  add(place: Place): void {
    this.#places = [...this.#places, place];
  }

  remove(place: Place): void {
    this.#places = this.#places.filter((one) => one !== place);
  }

  /** Everything up to here has been delivered. */
  get position(): FeedPosition {
    if (this.#own === undefined) return [this.#everyone.position];
    return this.#followsEveryone ? [this.#own.position, this.#everyone.position] : [this.#own.position];
  }

  close(): void {
    for (const place of this.#places) place.attached = false;
    this.#places = [];
    this.#own?.close();
  }

  deliverEveryone(publication: Publication): void {
    if (this.#followsEveryone) this.#deliver(publication);
  }

  gapInEveryone(): void {
    if (this.#followsEveryone) this.#gap();
  }

  #gap(): void {
    this.#forEachReader((reader) => reader.gap());
  }

  #deliver(publication: Publication): void {
    if (this.#places.length === 0) return;
    const { position } = this;
    const delivery: Delivery = { publication, position, cursor: this.#cursors.write(position) };
    this.#forEachReader((reader) => reader.deliver(delivery));
  }

  #forEachReader(call: (reader: FeedReader) => void): void {
    for (const place of this.#places) {
      if (!place.attached) continue;
      try {
        call(place.reader);
      } catch (error) {
        this.#telemetry.record("error", "hub.reader_failed", { feed: this.#feed.key, error: describeError(error) });
      }
    }
  }
}
