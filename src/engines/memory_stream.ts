import type { ReadRange, ResetReason, StreamEntry, StreamPage } from "../core/engine.ts";
import { createEpoch, type Position, samePosition } from "../core/position.ts";
import type { SmallSet } from "../core/small_set.ts";
import type { Stream } from "../core/stream.ts";
import { Fifo } from "../core/fifo.ts";
import type { MemorySubscription } from "./memory_subscription.ts";
import type { StreamOrder } from "./stream_order.ts";

/** An entry with what is needed to know when it must go. */
export interface KeptEntry extends StreamEntry {
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
  /** When it was appended, in steady milliseconds. */
  readonly appendedAtMs: number;
}

/**
 * One stream: the entries that are still kept, and where the log stands.
 *
 * It knows nothing of bounds: {@linkcode MemoryLog} decides what goes.
 */
export class MemoryStream {
  /** Undefined while there is none: most streams of a server with many rooms have none. */
  subscriptions: SmallSet<MemorySubscription> | undefined;
  /** When it was last written to or, once empty, asked for; in steady milliseconds. */
  usedAtMs = 0;
  /** UTF-8 bytes of all texts kept. */
  bytes = 0;
  /** The one order it is in, and its neighbours there. Changed by {@linkcode StreamOrder} alone. */
  order: StreamOrder | undefined;
  older: MemoryStream | undefined;
  newer: MemoryStream | undefined;

  readonly #entries = new Fifo<KeptEntry>();
  #top: Position = { epoch: createEpoch(), offset: 0, timeUs: 0 };

  constructor(readonly name: Stream) {}

  /** Where the stream stands. */
  get top(): Position {
    return this.#top;
  }

  /** How many entries are kept. */
  get length(): number {
    return this.#entries.length;
  }

  /** The oldest entry kept. */
  get oldest(): KeptEntry | undefined {
    return this.#entries.at(0);
  }

  append(text: string, bytes: number, time: AppendTime): KeptEntry {
    const previous = this.#top;
    // Strictly rising, also when the clock was set back or stands still.
    const timeUs = Math.max(Math.floor(time.wallMs * 1000), previous.timeUs + 1);
    const position = { epoch: previous.epoch, offset: previous.offset + 1, timeUs };
    const entry = { position, previousTimeUs: previous.timeUs, text, bytes, appendedAtMs: time.steadyMs };
    this.#top = position;
    this.#entries.push(entry);
    this.bytes += bytes;
    return entry;
  }

  /** An entry that is not kept, at the place where the stream stands. */
  transient(text: string): StreamEntry {
    return { position: this.#top, previousTimeUs: this.#top.timeUs, text, transient: true };
  }

  /** Lets the oldest entry go. */
  shift(): KeptEntry | undefined {
    const entry = this.#entries.shift();
    if (entry !== undefined) this.bytes -= entry.bytes;
    return entry;
  }

  /** What {@linkcode StreamLog.read} answers. */
  read({ after, before, limit, maxBytes = Infinity }: ReadRange): StreamPage {
    const page = before === undefined ? this.#readAfter(after, limit) : this.#readBefore(before, limit);
    return { ...page, entries: withinBytes(page.entries, maxBytes) };
  }

  #readAfter(after: Position | undefined, limit: number) {
    const kept = this.#entries.length;
    if (after === undefined) return this.#page(Math.max(0, kept - limit), limit, null);
    const reset = this.#resetAfter(after);
    return this.#page(reset === null ? kept - (this.#top.offset - after.offset) : 0, limit, reset);
  }

  #readBefore(before: Position, limit: number) {
    const reset = this.#resetBefore(before);
    if (reset !== null) return this.#page(0, 0, reset);
    const end = this.#entries.length - (this.#top.offset - before.offset) - 1;
    const begin = Math.max(0, end - limit);
    return this.#page(begin, Math.max(0, end) - begin, null);
  }

  #page(index: number, limit: number, reset: ResetReason | null) {
    return { entries: this.#entries.slice(index, limit), top: this.#top, reset, hasOlder: index > 0 };
  }

  #resetBefore(before: Position): ResetReason | null {
    const top = this.#top;
    if (before.epoch !== top.epoch) return "EPOCH";
    if (before.offset === 0) return null;
    if (before.offset > top.offset) return "LOST";
    const first = top.offset - this.#entries.length + 1;
    if (before.offset < first) return "TRIMMED";
    return samePosition(this.#entries.at(before.offset - first)!.position, before) ? null : "LOST";
  }

  #resetAfter(after: Position): ResetReason | null {
    const top = this.#top;
    if (after.epoch !== top.epoch) return "EPOCH";
    if (samePosition(after, top)) return null;
    const missed = top.offset - after.offset;
    if (missed <= 0) return "LOST";
    if (missed > this.#entries.length) return "TRIMMED";
    const oldestMissed = this.#entries.at(this.#entries.length - missed)!;
    // The entry at `after` may be gone; the one that followed it still tells its time.
    return oldestMissed.previousTimeUs === after.timeUs ? null : "LOST";
  }
}

/** When an entry is appended, by both clocks. */
export interface AppendTime {
  readonly wallMs: number;
  readonly steadyMs: number;
}

function withinBytes(entries: readonly KeptEntry[], maxBytes: number): readonly KeptEntry[] {
  let bytes = 0;
  const end = entries.findIndex((entry) => (bytes += entry.bytes) > maxBytes);
  return end === -1 ? entries : entries.slice(0, Math.max(1, end));
}
