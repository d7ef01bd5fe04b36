import { CursorWriter } from "./cursor.ts";
import type { Delivery } from "./delivery.ts";
import { decodeEntry, type Publication } from "./event.ts";
import { everyoneFeed, type Feed, type FeedPosition } from "./feed.ts";
import type { Attachment, FeedReader } from "./hub.ts";
import { EVERYONE, type Stream } from "./stream.ts";
import { StreamReader, type StreamReaderDeps } from "./stream_reader.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** Where a reader stands among a feed's readers. */
export class Place implements Attachment {
  readonly reader: FeedReader;
  /** False from the moment it is detached, also for the rest of a delivery under way. */
  attached = true;
  readonly #feed: OpenFeed;

  constructor(feed: OpenFeed, reader: FeedReader) {
    this.#feed = feed;
    this.reader = reader;
  }

  get position(): FeedPosition {
    return this.#feed.position;
  }

  get cursor(): string {
    return this.#feed.cursor;
  }

  detach(): void {
    if (!this.attached) return;
    this.attached = false;
    this.#feed.remove(this);
    this.#feed.leave();
  }
}

/** What an open feed needs. */
export interface OpenFeedDeps extends StreamReaderDeps {
  /** Called once, when the last reader has gone. */
  readonly onUnused: (feed: OpenFeed) => void;
}

/** A feed that somebody follows: its streams merged, its readers. */
export class OpenFeed {
  readonly ready: Promise<void>;
  /** Attached readers and those about to be. */
  users = 0;
  readonly #feed: Feed;
  readonly #everyone: StreamReader;
  readonly #telemetry: Telemetry;
  readonly #onUnused: OpenFeedDeps["onUnused"];
  /** The reader of the feed's own stream; undefined for the feed that has only the stream to everyone. */
  readonly #own: StreamReader | undefined;
  readonly #followsEveryone: boolean;
  readonly #cursors: CursorWriter;
  /** Replaced, never changed, so that a delivery under way is not disturbed. */
  #places: readonly Place[] = [];

  constructor(feed: Feed, everyone: StreamReader, deps: OpenFeedDeps) {
    this.#feed = feed;
    this.#onUnused = deps.onUnused;
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
    // Not by spreading, which makes room for more than there are: most feeds have one reader.
    this.#places = this.#places.concat(place);
  }

  remove(place: Place): void {
    this.#places = this.#places.filter((one) => one !== place);
  }

  get key(): Stream {
    return this.#feed.key;
  }

  /** One of its users is none any more; the last one closes it. */
  leave(): void {
    if (--this.users > 0) return;
    this.#onUnused(this);
    this.close();
  }

  /** Everything up to here has been delivered. */
  get position(): FeedPosition {
    if (this.#own === undefined) return [this.#everyone.position];
    return this.#followsEveryone ? [this.#own.position, this.#everyone.position] : [this.#own.position];
  }

  /** The same as clients keep it: one text for all who come to the same place. */
  get cursor(): string {
    return this.#cursors.write(this.position);
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
