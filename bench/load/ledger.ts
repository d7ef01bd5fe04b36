import type { Frame } from "./frames.ts";

/** One published message: what each subscriber must get. */
interface Entry {
  readonly sequence: number;
  readonly content: string;
  /** The first delivery of it, which was read in full; others are compared with it. */
  reference: Uint8Array | undefined;
  /** Where in the reference the mark stands, each subscriber's in its turn; -1 when there is none. */
  markStart: number;
  deliveries: number;
}

/** Messages remembered; a power of two. Far more than are ever in flight. */
const REMEMBERED = 1_024;
const SEQUENCE_DIGITS = 8;

/**
 * What was published, and how far each message has come.
 *
 * Reading every delivery as JSON would make the generator the slower side. So the
 * first delivery of each message is read in full, and every other one must be the
 * same bytes, but for the mark: the operation id, which must be its subscriber's own.
 */
export class Ledger {
  /** Deliveries checked so far. */
  deliveries = 0;
  readonly #subscribers: number;
  readonly #onComplete: (sequence: number) => void;
  readonly #entries: Entry[] = [];
  #published = 0;

  /** `onComplete` is called once for each message, when the last subscriber has got it. */
  constructor(subscribers: number, onComplete: (sequence: number) => void) {
    this.#subscribers = subscribers;
    this.#onComplete = onComplete;
  }

  /** How many messages were published: the sequence of the next one. */
  get published(): number {
    return this.#published;
  }

  /** Enters the next message, with that many bytes of padding; returns its content. */
  publish(paddingBytes: number): string {
    const sequence = this.#published++;
    const content = String(sequence).padStart(SEQUENCE_DIGITS, "0") + ".".repeat(paddingBytes);
    this.#entries[sequence % REMEMBERED] = { sequence, content, reference: undefined, markStart: -1, deliveries: 0 };
    return content;
  }

  /** Whether the frame is, byte for byte, that message for the subscriber whose mark is given. */
  matches(frame: Frame, sequence: number, mark: Uint8Array): boolean {
    const entry = this.#entries[sequence % REMEMBERED];
    if (entry?.reference === undefined || entry.sequence !== sequence) return false;
    const { reference, markStart } = entry;
    if (frame.end - frame.start !== reference.length) return false;
    if (markStart >= 0) reference.set(mark, markStart);
    const { bytes, start } = frame;
    for (let index = 0; index < reference.length; index++) {
      if (bytes[start + index] !== reference[index]) return false;
    }
    return true;
  }

  /** Makes a delivery that was read in full the one to compare others with. */
  remember(frame: Frame, sequence: number, mark: Uint8Array): void {
    const entry = this.#entry(sequence);
    if (entry.reference !== undefined) return;
    entry.reference = frame.bytes.slice(frame.start, frame.end);
    entry.markStart = mark.length === 0 ? -1 : find(entry.reference, mark);
  }

  /** The sequence a delivered content says it has, when the content is right for it. */
  read(content: string): number {
    const sequence = Number(content.slice(0, SEQUENCE_DIGITS));
    if (!Number.isInteger(sequence) || sequence >= this.#published || this.#entry(sequence).content !== content) {
      throw new Error(`Cannot accept content ${JSON.stringify(content)}: it was not published like this`);
    }
    return sequence;
  }

  /** Counts a delivery that was found right. */
  count(sequence: number): void {
    this.deliveries++;
    if (++this.#entry(sequence).deliveries === this.#subscribers) this.#onComplete(sequence);
  }

  #entry(sequence: number): Entry {
    const entry = this.#entries[sequence % REMEMBERED];
    if (entry?.sequence !== sequence) throw new Error(`Cannot look up message ${sequence}: it is not in flight`);
    return entry;
  }
}

function find(bytes: Uint8Array, part: Uint8Array): number {
  for (let start = 0; start + part.length <= bytes.length; start++) {
    if (part.every((byte, index) => bytes[start + index] === byte)) return start;
  }
  throw new Error("Cannot find the operation id in a delivery");
}
