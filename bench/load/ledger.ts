import { Buffer } from "node:buffer";
import { type Filler, fillWithDots } from "./filler.ts";
import type { Frame } from "./frame.ts";

/** Whose messages, and who hears what becomes of them. */
export interface LedgerOptions {
  /** Stands at the front of each content, so that a message of one room is known in another. */
  readonly roomNumber: number;
  readonly subscribers: number;
  /** What contents are padded with. @default {fillWithDots} */
  readonly filler?: Filler;
  /**
   * Called when the last subscriber has got a message, with how many are done by that: it and
   * those before it that came to nobody or to some, because they were published before all were live.
   */
  readonly onComplete: (messages: number) => void;
  /** Called for each delivery, with the moment its message was due. */
  readonly onDelivery?: (dueMs: number) => void;
}

/** How a message is entered. */
export interface EntryOptions {
  /** Bytes of its content; never less than `SMALLEST_CONTENT_BYTES`. */
  readonly contentBytes: number;
  /** When it should have been published, by `performance.now()`. */
  readonly dueMs: number;
}

/** One published message: what each subscriber must get. */
interface Entry {
  readonly sequence: number;
  readonly content: string;
  readonly dueMs: number;
  /** The first delivery of it, which was read in full; others are compared with it. */
  reference: Buffer<ArrayBuffer> | undefined;
  /** Where in the reference the mark stands, each subscriber's in its turn; -1 when there is none. */
  markStart: number;
  deliveries: number;
}

const ROOM_DIGITS = 5;
const SEQUENCE_DIGITS = 8;
/** Messages remembered; a power of two. Far more than are ever in flight. */
const REMEMBERED = 1_024;

/** What a content has to hold. */
export const SMALLEST_CONTENT_BYTES = ROOM_DIGITS + 1 + SEQUENCE_DIGITS;

/**
 * What was published to a room, and how far each message has come.
 *
 * Reading every delivery as JSON would make the generator the slower side. So the
 * first delivery of each message is read in full, and every other one must be the
 * same bytes, but for the mark: the operation id, which must be its subscriber's own.
 * Of a compressed delivery these are the compressed bytes. Where the mark can be found in
 * them it was stored as it is, so those with another's mark in its place are its text.
 */
export class Ledger {
  /** Deliveries checked so far. */
  deliveries = 0;
  /** How many messages were published: the sequence of the next one. */
  published = 0;
  /** The sequence behind the newest message that every subscriber has got. */
  completed = 0;
  readonly #options: LedgerOptions;
  readonly #entries: Entry[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Enters the next message; returns its content. */
  publish({ contentBytes, dueMs }: EntryOptions): string {
    const sequence = this.published++;
    const room = String(this.#options.roomNumber).padStart(ROOM_DIGITS, "0");
    const { filler = fillWithDots } = this.#options;
    const padding = filler(sequence, Math.max(0, contentBytes - SMALLEST_CONTENT_BYTES));
    const content = `${room}:${String(sequence).padStart(SEQUENCE_DIGITS, "0")}${padding}`;
    const index = sequence % REMEMBERED;
    this.#entries[index] = { sequence, content, dueMs, reference: undefined, markStart: -1, deliveries: 0 };
    return content;
  }

  /** Whether the frame is, byte for byte, that message for the subscriber whose mark is given. */
  matches({ bytes, start, end }: Frame, sequence: number, mark: Uint8Array): boolean {
    const entry = this.#entries[sequence % REMEMBERED];
    if (entry?.reference === undefined || entry.sequence !== sequence) return false;
    const { reference, markStart } = entry;
    if (end - start !== reference.length) return false;
    if (markStart >= 0) reference.set(mark, markStart);
    return bytes.compare(reference, 0, reference.length, start, end) === 0;
  }

  /** Makes a delivery that was read in full the one to compare others with. */
  remember({ bytes, start, end, isDeflated }: Frame, sequence: number, mark: Uint8Array): void {
    const entry = this.#entry(sequence);
    // Nobody else gets what the only subscriber got.
    if (entry.reference !== undefined || this.#options.subscribers === 1) return;
    const reference = Buffer.from(new Uint8Array(bytes.subarray(start, end)).buffer);
    const markStart = mark.length === 0 ? -1 : reference.indexOf(mark);
    if (mark.length > 0 && markStart < 0) {
      // It may have been compressed with the rest; then every delivery is read in full.
      if (isDeflated) return;
      throw new Error("Cannot find the operation id in a delivery");
    }
    entry.reference = reference;
    entry.markStart = markStart;
  }

  /** The sequence a delivered content says it has, when the content is right for it. */
  read(content: string): number {
    const sequence = Number(content.slice(ROOM_DIGITS + 1, SMALLEST_CONTENT_BYTES));
    if (!Number.isInteger(sequence) || sequence >= this.published || this.#entry(sequence).content !== content) {
      throw new Error(`Cannot accept content "${content.slice(0, 100)}": it was not published like this to this room`);
    }
    return sequence;
  }

  /** Counts a delivery that was found right. */
  count(sequence: number): void {
    const { subscribers, onComplete, onDelivery } = this.#options;
    const entry = this.#entry(sequence);
    this.deliveries++;
    onDelivery?.(entry.dueMs);
    if (++entry.deliveries < subscribers) return;
    const messages = sequence + 1 - this.completed;
    this.completed += messages;
    onComplete(messages);
  }

  #entry(sequence: number): Entry {
    const entry = this.#entries[sequence % REMEMBERED];
    if (entry?.sequence !== sequence) throw new Error(`Cannot look up message ${sequence}: it is not in flight`);
    return entry;
  }
}

/** The number of the room that a content was published to. */
export function readRoomNumber(content: string): number {
  return Number(content.slice(0, ROOM_DIGITS));
}
