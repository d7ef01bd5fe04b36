import type { Cancel, Clock } from "./clock.ts";
import type { StreamEntry, StreamLog, StreamSubscription } from "./engine.ts";
import { type Position, samePosition } from "./position.ts";
import type { Stream } from "./stream.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** What a stream reader tells the hub; called in the order of the stream. */
export interface StreamSink {
  /** The next entry; nothing was missed before it, unless `gap` was called since the last one. */
  deliver(entry: StreamEntry): void;
  /** Entries were lost for good; the next `deliver` is the oldest one kept. */
  gap(): void;
}

/** What a stream reader needs. */
export interface StreamReaderDeps {
  readonly log: StreamLog;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Entries read at once while a hole is filled. */
const HEAL_PAGE = 500;
/** Live entries kept while a hole is filled; beyond it they are read again instead. */
const MAX_HELD_ENTRIES = 1_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/**
 * This node's one reader of one stream: checks that nothing is missing or repeated.
 *
 * The engine may skip or repeat entries when its network fails. A repeat is dropped;
 * a hole is filled from the kept history before anything later goes on; what history
 * no longer holds is announced as a gap. The check is made once per stream and node,
 * however many subscribers there are.
 */
export class StreamReader {
  readonly #stream: Stream;
  readonly #sink: StreamSink;
  readonly #deps: StreamReaderDeps;
  #subscription: StreamSubscription | undefined;
  #position: Position | undefined;
  /** Entries that wait for the subscription's start or for a hole to be filled; null while live. */
  #held: StreamEntry[] | null = [];
  #overflowed = false;
  /** Where history was last read and had nothing more, though something is missing. */
  #unfilledAt: Position | undefined;
  #closed = false;
  #cancelRetry: Cancel | undefined;

  constructor(stream: Stream, sink: StreamSink, deps: StreamReaderDeps) {
    this.#stream = stream;
    this.#sink = sink;
    this.#deps = deps;
  }

  /** Resolves once live; `position` is set from then on. */
  async open(): Promise<void> {
    const subscription = await this.#deps.log.subscribe(this.#stream, (entry) => this.#receive(entry));
    if (this.#closed) return subscription.close();
    this.#subscription = subscription;
    this.#position = subscription.start;
    this.#release();
  }

  /** Everything up to here has been delivered. */
  get position(): Position {
    if (this.#position === undefined) {
      throw new TypeError(`Cannot read the position of "${this.#stream}": not open yet`);
    }
    return this.#position;
  }

  /** Ends the delivery; safe to call twice, and before `open` has resolved. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#subscription?.close();
    this.#held = [];
  }

  #receive(entry: StreamEntry): void {
    if (this.#closed) return;
    if (this.#held !== null) {
      if (this.#held.length < MAX_HELD_ENTRIES) this.#held.push(entry);
      else this.#overflowed = true;
      return;
    }
    this.#accept(entry);
  }

  #accept(entry: StreamEntry): void {
    const last = this.position;
    const { position } = entry;
    // Not of the log: it fills no hole and makes none, and what comes before a hole is filled may wait no longer.
    if (entry.transient !== undefined) return this.#hand(entry);
    if (position.epoch === last.epoch) {
      if (position.offset === last.offset + 1 && entry.previousTimeUs === last.timeUs) {
        this.#deliver(entry);
        return;
      }
      // The same offset with another time is no repeat: the log forked below it.
      if (position.offset < last.offset || samePosition(position, last)) return;
    }
    this.#held = [entry];
    // History does not have what is missing: this entry is of a log that has just been replaced, for
    // one. Asking again at once would be a loop without an end.
    if (this.#unfilledAt === last) return this.#healLater(MAX_RETRY_MS, FIRST_RETRY_MS);
    this.#deps.telemetry.record("warn", "stream.hole", {
      stream: this.#stream,
      expected: last.offset + 1,
      found: position.offset,
      sameEpoch: position.epoch === last.epoch,
    });
    this.#heal(FIRST_RETRY_MS);
  }

  /** Fills a hole from history, then goes on with what was held. */
  #heal(retryMs: number): void {
    this.#readMissing().then(() => this.#release(), (error: unknown) => {
      if (this.#closed) return;
      this.#deps.telemetry.record("error", "stream.heal_failed", {
        stream: this.#stream,
        retryMs,
        error: describeError(error),
      });
      this.#healLater(retryMs, Math.min(retryMs * 2, MAX_RETRY_MS));
    });
  }

  #healLater(delayMs: number, retryMs: number): void {
    this.#cancelRetry = this.#deps.clock.after(delayMs, () => this.#heal(retryMs));
  }

  async #readMissing(): Promise<void> {
    const begin = this.position;
    let deliveredUntilUs = -1;
    while (!this.#closed) {
      const last = this.position;
      const page = await this.#deps.log.read(this.#stream, { after: last, limit: HEAL_PAGE });
      if (this.#closed) return;
      if (page.reset !== null) {
        this.#deps.telemetry.record("error", "stream.reset", { stream: this.#stream, reason: page.reset });
        this.#sink.gap();
        // After a fork the oldest kept entries, over several pages, may be ones that were delivered before it.
        if (page.reset === "LOST") deliveredUntilUs = last.timeUs;
        if (page.entries.length === 0) this.#position = page.top;
      }
      for (const entry of page.entries) {
        if (entry.position.timeUs > deliveredUntilUs) this.#deliver(entry);
        else this.#position = entry.position;
        if (this.#closed) return;
      }
      if (page.entries.length === 0 || samePosition(this.position, page.top)) {
        this.#unfilledAt = this.#position === begin ? begin : undefined;
        return;
      }
    }
  }

  #deliver(entry: StreamEntry): void {
    this.#position = entry.position;
    this.#hand(entry);
  }

  #hand(entry: StreamEntry): void {
    try {
      this.#sink.deliver(entry);
    } catch (error) {
      // An entry that cannot be read is lost to all readers: they are told, and the stream goes on.
      this.#deps.telemetry.record("error", "stream.entry_failed", {
        stream: this.#stream,
        offset: entry.position.offset,
        error: describeError(error),
      });
      this.#sink.gap();
    }
  }

  /** Ends the holding: takes what was held, by the rules of a live entry. */
  #release(): void {
    if (this.#closed) return;
    const held = this.#held ?? [];
    this.#held = null;
    if (this.#overflowed) {
      // Some live entries were not kept: read them from history instead.
      this.#overflowed = false;
      this.#held = [];
      return this.#heal(FIRST_RETRY_MS);
    }
    // While another hole is being filled, `#receive` holds what is left.
    for (const entry of held) this.#receive(entry);
  }
}
