import { deadline } from "@std/async/deadline";
import type { Backlog } from "../../src/core/backlog.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import type { Feed, FeedPosition } from "../../src/core/feed.ts";
import type { Attachment, FeedReader, Hub } from "../../src/core/hub.ts";
import { samePosition } from "../../src/core/position.ts";

/** How to catch up. */
export interface ResumeOptions {
  /** Called after each page that was read. */
  readonly betweenPages?: () => Promise<void>;
}

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/**
 * Follows a feed as a subscriber does: what it missed page by page, then what comes live.
 *
 * While it is paused it takes nothing and keeps nothing but its place.
 */
export class FeedFollower implements FeedReader {
  readonly deliveries: Delivery[] = [];
  /** How often it was told that something is lost. */
  gaps = 0;
  readonly #feed: Feed;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #attachment!: Attachment;
  #backlog!: Backlog;
  #takes = false;

  private constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Begins to follow, from now on or behind a place. Resolves once live. */
  static async open(hub: Hub, feed: Feed, from?: FeedPosition): Promise<FeedFollower> {
    const follower = new FeedFollower(feed);
    const attachment = await hub.attach(feed, follower);
    const { position } = attachment;
    follower.#attachment = attachment;
    follower.#backlog = hub.backlog(feed, from ?? position, position);
    await follower.resume();
    return follower;
  }

  /** The offsets of what has come, for each of the feed's streams. */
  get streamOffsets(): number[][] {
    return this.#feed.streams.map((stream) =>
      this.deliveries.filter(({ publication }) => publication.stream === stream)
        .map(({ publication: { position } }) => position.offset)
    );
  }

  deliver(delivery: Delivery): void {
    const { stream, position } = delivery.publication;
    if (!this.#takes || this.#backlog.holds(this.#feed.streams.indexOf(stream), position)) return;
    this.#backlog.advance(delivery.position);
    this.#take(delivery);
  }

  gap(): void {
    // Otherwise the reading of what was missed comes upon it.
    if (this.#takes) this.gaps++;
  }

  /** Takes nothing any more. */
  pause(): void {
    this.#takes = false;
  }

  /** Reads what came meanwhile. Resolves once live again. */
  async resume({ betweenPages = () => Promise.resolve() }: ResumeOptions = {}): Promise<void> {
    let to: FeedPosition;
    do {
      to = this.#attachment.position;
      this.#backlog.extend(to);
      for (let page = await this.#backlog.next(); page !== undefined; page = await this.#backlog.next()) {
        if (page.gap) this.gaps++;
        for (const delivery of page.deliveries) this.#take(delivery);
        await betweenPages();
      }
    } while (!this.#isAt(to));
    // Nothing is awaited from the last look to here.
    this.#takes = true;
  }

  /** Follows no more. */
  stop(): void {
    this.#attachment.detach();
  }

  /** Resolves once so many deliveries have come. */
  async until(count: number): Promise<void> {
    if (this.deliveries.length >= count) return;
    await deadline(new Promise<void>((resolve) => this.#waiting.push({ count, resolve })), PATIENCE_MS);
  }

  /** Whether the live delivery has not gone past this place. */
  #isAt(place: FeedPosition): boolean {
    return this.#attachment.position.every((one, index) => samePosition(one, place[index]!));
  }

  #take(delivery: Delivery): void {
    this.deliveries.push(delivery);
    for (const waiter of this.#waiting) if (this.deliveries.length >= waiter.count) waiter.resolve();
  }
}
