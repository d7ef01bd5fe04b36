import type {
  Published,
  ReadRange,
  ResetReason,
  StreamEntry,
  StreamListener,
  StreamLog,
  StreamPage,
  StreamSubscription,
} from "../../src/core/engine.ts";
import type { Position } from "../../src/core/position.ts";
import type { Stream } from "../../src/core/stream.ts";

/** A log that does what a test says: delivers what it is handed, answers reads with what was laid ready. */
export class ScriptedLog implements StreamLog {
  readonly reads: ReadRange[] = [];
  /** Where subscriptions start. */
  start: Position = positionAt(0);
  /** When set, `subscribe` waits for it. */
  gate: Promise<void> | undefined;
  readonly #pages: (StreamPage | Error)[] = [];
  readonly #listeners = new Map<Stream, Set<StreamListener>>();

  /** How many subscriptions are open. */
  get subscriptionCount(): number {
    let count = 0;
    for (const listeners of this.#listeners.values()) count += listeners.size;
    return count;
  }

  /** Lays the answers to the next reads ready; an error makes one fail. */
  answer(...pages: (StreamPage | Error)[]): void {
    this.#pages.push(...pages);
  }

  deliver(stream: Stream, ...entries: StreamEntry[]): void {
    for (const entry of entries) {
      for (const listener of this.#listeners.get(stream) ?? []) listener(entry);
    }
  }

  async subscribe(stream: Stream, listener: StreamListener): Promise<StreamSubscription> {
    const listeners = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, listeners);
    listeners.add(listener);
    await this.gate;
    return { start: this.start, close: () => void listeners.delete(listener) };
  }

  read(_stream: Stream, range: ReadRange): Promise<StreamPage> {
    this.reads.push(range);
    const page = this.#pages.shift() ?? new Error("Cannot read: no answer was laid ready");
    return page instanceof Error ? Promise.reject(page) : Promise.resolve(page);
  }

  publish(): Promise<Published> {
    return Promise.reject(new Error("Cannot publish to a scripted log"));
  }

  top(): Promise<Position> {
    return Promise.resolve(this.start);
  }
}

/** Which life of a log an entry belongs to; a fork's times differ from those of the log it left. */
export interface LogLife {
  readonly epoch?: string;
  readonly forkedUs?: number;
}

/** The position of an entry that was appended in its own millisecond. */
export function positionAt(offset: number, { epoch = "e1", forkedUs = 0 }: LogLife = {}): Position {
  return { epoch, offset, timeUs: offset === 0 ? 0 : offset * 1_000 + forkedUs };
}

/** One such entry; its text is its offset. */
export function entryAt(offset: number, life: LogLife = {}): StreamEntry {
  return {
    position: positionAt(offset, life),
    previousTimeUs: positionAt(offset - 1, life).timeUs,
    text: `${offset}`,
  };
}

/** All such entries from one offset to another. */
export function entriesFrom(first: number, last: number, life: LogLife = {}): StreamEntry[] {
  return Array.from({ length: last - first + 1 }, (_, at) => entryAt(first + at, life));
}

/** What a read answers that found these entries, the last of them at the top. */
export function pageOf(entries: StreamEntry[], reset: ResetReason | null = null, top?: Position): StreamPage {
  return { entries, top: top ?? entries.at(-1)?.position ?? positionAt(0), reset, hasOlder: false };
}
