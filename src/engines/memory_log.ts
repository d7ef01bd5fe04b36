import type { Clock } from "../core/clock.ts";
import type { Published, PublishOptions, ReadRange, StreamListener, StreamPage } from "../core/engine.ts";
import type { Position } from "../core/position.ts";
import { SmallSet } from "../core/small_set.ts";
import type { Stream } from "../core/stream.ts";
import type { Telemetry } from "../core/telemetry.ts";
import { utf8Length } from "../core/utf8_length.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { keyId, type MemoryKeys } from "./memory_keys.ts";
import { type KeptEntry, MemoryStream } from "./memory_stream.ts";
import { MemorySubscription } from "./memory_subscription.ts";
import { StreamOrder } from "./stream_order.ts";

/** How much the log keeps. */
export interface MemoryLogBounds {
  /** Entries of one stream. */
  readonly count: number;
  /** How long an entry is kept, in milliseconds. */
  readonly ageMs: number;
  /** UTF-8 bytes of one stream's texts. Its newest entry is kept even when it alone has more. */
  readonly bytes: number;
  /** Bytes of all streams together, what an entry costs beside its text included. */
  readonly totalBytes: number;
  /** How long a stream without entries keeps its epoch and offset, in milliseconds. */
  readonly epochTtlMs: number;
  /** Streams without entries; those with a subscription do not count. */
  readonly emptiedStreams: number;
}

/** What the log needs. */
export interface MemoryLogDeps {
  readonly clock: Clock;
  /** Steady milliseconds. */
  readonly now: () => number;
  readonly telemetry: Telemetry;
  readonly keys: MemoryKeys;
  readonly bounds: MemoryLogBounds;
}

/** What an entry costs beside its text: its objects and its share of the stream's. */
const ENTRY_OVERHEAD_BYTES = 256;

/**
 * All streams of a memory engine: appends, bounds and delivers.
 *
 * An entry is appended and delivered in one synchronous step, except that the
 * delivery waits while another one is under way.
 */
export class MemoryLog {
  readonly #deps: MemoryLogDeps;
  readonly #streams = new Map<Stream, MemoryStream>();
  /** Streams with entries, by their last publish. */
  readonly #filled = new StreamOrder();
  /** Streams with neither entries nor subscriptions, by when they were last asked for. */
  readonly #emptied = new StreamOrder();
  readonly #deliveries: DeliveryQueue;
  #storedBytes = 0;
  #subscriptionCount = 0;

  constructor(deps: MemoryLogDeps) {
    this.#deps = deps;
    this.#deliveries = new DeliveryQueue(deps.telemetry);
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get subscriptionCount(): number {
    return this.#subscriptionCount;
  }

  /** What all entries kept cost, by the measure of {@linkcode MemoryLogBounds.totalBytes}. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** As {@linkcode StreamLog.publish}, at once. */
  publish(name: Stream, text: string, { signal, idempotency }: PublishOptions = {}): Published {
    signal?.throwIfAborted();
    const id = idempotency && keyId(name, idempotency);
    if (id !== undefined) {
      const first = this.#deps.keys.recall(name, id, idempotency!);
      if (first !== undefined) return { position: first, duplicate: true };
    }
    this.requireCapacity(name);
    const stream = this.#stream(name);
    const entry = this.#append(stream, text);
    // Before the delivery: a listener may publish with the same key.
    if (id !== undefined) this.#deps.keys.remember(id, idempotency!, entry.position);
    this.#deliveries.deliver(stream, entry);
    return { position: entry.position, duplicate: false };
  }

  /** Appends and delivers without a question; {@linkcode requireCapacity} comes first where there can be one. */
  append(name: Stream, text: string): void {
    const stream = this.#stream(name);
    this.#deliveries.deliver(stream, this.#append(stream, text));
  }

  /** Delivers a text in its turn without keeping it. {@linkcode requireCapacity} comes first. */
  deliver(name: Stream, text: string): void {
    const stream = this.#stream(name);
    this.#deliveries.deliver(stream, stream.transient(text));
    this.#keepForAWhile(stream);
  }

  /** The streams that keep an entry, in no order. */
  *filled(): Generator<Stream> {
    for (const [name, { length }] of this.#streams) if (length > 0) yield name;
  }

  /** @throws as {@linkcode DeliveryQueue.requireCapacity} */
  requireCapacity(name: Stream): void {
    this.#deliveries.requireCapacity(name);
  }

  /** As {@linkcode StreamLog.subscribe}, at once. `onClose` is called once, when the subscription is closed. */
  subscribe(name: Stream, listener: StreamListener, onClose: (closed: MemorySubscription) => void): MemorySubscription {
    const stream = this.#stream(name);
    const subscription = new MemorySubscription(stream, {
      listener,
      onClose: (closed) => {
        this.#unsubscribe(closed);
        onClose(closed);
      },
    });
    stream.subscriptions ??= new SmallSet();
    stream.subscriptions.add(subscription);
    this.#subscriptionCount++;
    this.#emptied.remove(stream);
    return subscription;
  }

  /** As {@linkcode StreamLog.read}, at once. */
  read(name: Stream, range: ReadRange): StreamPage {
    const stream = this.#stream(name);
    this.#dropExpired(stream);
    this.#keepForAWhile(stream);
    return stream.read(range);
  }

  /** As {@linkcode StreamLog.top}, at once. */
  top(name: Stream): Position {
    const stream = this.#stream(name);
    this.#keepForAWhile(stream);
    return stream.top;
  }

  /**
   * Frees what has outlived its time in streams that nobody writes to or reads.
   *
   * Costs as much as it frees: both orders are by age, so it ends at the first stream
   * that stays.
   */
  sweep(): void {
    const { ageMs, epochTtlMs } = this.#deps.bounds;
    const now = this.#deps.now();
    for (let stream = this.#filled.oldest; stream !== undefined; stream = this.#filled.oldest) {
      if (stream.usedAtMs >= now - ageMs) break;
      while (stream.length > 0) this.#dropOldest(stream);
    }
    for (let stream = this.#emptied.oldest; stream !== undefined; stream = this.#emptied.oldest) {
      if (stream.usedAtMs >= now - epochTtlMs) break;
      this.#forget(stream);
    }
  }

  #stream(name: Stream): MemoryStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new MemoryStream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #append(stream: MemoryStream, text: string): KeptEntry {
    const steadyMs = this.#deps.now();
    const entry = stream.append(text, utf8Length(text), { wallMs: this.#deps.clock.now(), steadyMs });
    this.#storedBytes += entry.bytes + ENTRY_OVERHEAD_BYTES;
    stream.usedAtMs = steadyMs;
    this.#filled.moveToEnd(stream);
    const { count, bytes, totalBytes } = this.#deps.bounds;
    while (stream.length > count || (stream.bytes > bytes && stream.length > 1)) this.#dropOldest(stream);
    this.#dropExpired(stream);
    if (this.#storedBytes > totalBytes) this.#dropLeastRecent(stream);
    return entry;
  }

  #dropExpired(stream: MemoryStream): void {
    const cutoffMs = this.#deps.now() - this.#deps.bounds.ageMs;
    for (let oldest = stream.oldest; oldest !== undefined && oldest.appendedAtMs < cutoffMs; oldest = stream.oldest) {
      this.#dropOldest(stream);
    }
  }

  #dropLeastRecent(written: MemoryStream): void {
    while (this.#storedBytes > this.#deps.bounds.totalBytes) {
      const stream = this.#filled.oldest;
      if (stream === undefined || (stream === written && stream.length === 1)) return;
      this.#dropOldest(stream);
    }
  }

  #dropOldest(stream: MemoryStream): void {
    const entry = stream.shift();
    if (entry === undefined) return;
    this.#storedBytes -= entry.bytes + ENTRY_OVERHEAD_BYTES;
    if (stream.length > 0) return;
    this.#filled.remove(stream);
    this.#keepForAWhile(stream);
  }

  /** Lets a stream that holds nothing and has no subscription be forgotten, but not soon. */
  #keepForAWhile(stream: MemoryStream): void {
    if (stream.length > 0 || stream.subscriptions !== undefined) return;
    stream.usedAtMs = this.#deps.now();
    this.#emptied.moveToEnd(stream);
    if (this.#emptied.size > this.#deps.bounds.emptiedStreams) this.#forget(this.#emptied.oldest!);
  }

  #forget(stream: MemoryStream): void {
    this.#emptied.remove(stream);
    this.#streams.delete(stream.name);
  }

  #unsubscribe(subscription: MemorySubscription): void {
    const { stream } = subscription;
    stream.subscriptions?.delete(subscription);
    if (stream.subscriptions?.size === 0) stream.subscriptions = undefined;
    this.#subscriptionCount--;
    this.#keepForAWhile(stream);
  }
}
