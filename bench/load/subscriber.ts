import { type Dialogue } from "../peers/peer.ts";
import type { Frame, Line } from "./frame.ts";
import { type Ledger, readRoomNumber } from "./ledger.ts";

/** What a subscriber needs. */
export interface SubscriberDeps {
  readonly line: Line;
  readonly hear: Dialogue["hear"];
  /** Of `Subscribing` or `Streaming`. */
  readonly mark: string;
  /** One for each of its rooms. */
  readonly ledgers: ReadonlyMap<number, Ledger>;
  /** Called when the server has let it in; it may not be live yet. */
  readonly onReady: () => void;
}

/** A room as one subscriber has got it so far. */
interface Feed {
  readonly ledger: Ledger;
  /** The sequence that must come next; -1 before the first delivery, which may be any. */
  expected: number;
}

const encoder = new TextEncoder();

/** One subscriber: takes every delivery in order, each exactly once, and throws at anything else. */
export class Subscriber {
  /** Bytes on the wire of its newest delivery that was read in full. */
  frameBytes = 0;
  readonly #deps: SubscriberDeps;
  readonly #mark: Uint8Array;
  readonly #feeds: ReadonlyMap<number, Feed>;
  /** Set when there is one room: only then is it known what comes next. */
  readonly #onlyFeed: Feed | undefined;

  constructor(deps: SubscriberDeps) {
    this.#deps = deps;
    this.#mark = encoder.encode(deps.mark);
    this.#feeds = new Map([...deps.ledgers].map(([room, ledger]) => [room, { ledger, expected: -1 }]));
    const [first] = this.#feeds.values();
    this.#onlyFeed = this.#feeds.size === 1 ? first : undefined;
  }

  /** What it still lacks, for the message of a failure; undefined when it has got everything. */
  get lack(): string | undefined {
    const late = [...this.#feeds].find(([, { ledger, expected }]) => expected < ledger.published);
    if (late === undefined) return undefined;
    const [room, { expected }] = late;
    return expected < 0 ? `has got nothing of room ${room}` : `waits for message ${expected} of room ${room}`;
  }

  /** Takes one message of the server. */
  hear(message: Frame): void {
    const feed = this.#onlyFeed;
    if (feed !== undefined && feed.ledger.matches(message, feed.expected, this.#mark)) take(feed, feed.expected);
    else this.#hearInFull(message);
  }

  #hearInFull(message: Frame): void {
    const { line, hear, onReady } = this.#deps;
    const heard = hear(message.toText());
    for (const text of heard.reply ?? []) line.send(text);
    if (heard.kind === "ready") onReady();
    if (heard.kind !== "delivery") return;
    const number = readRoomNumber(heard.content);
    const feed = this.#feeds.get(number);
    if (feed === undefined) throw new Error(`Cannot accept a message of room ${number}: it is not subscribed to`);
    if (heard.room !== undefined && heard.room !== nameRoom(number)) {
      throw new Error(`Cannot accept a message of room ${number}: the server says it is of "${heard.room}"`);
    }
    const sequence = feed.ledger.read(heard.content);
    if (feed.expected >= 0 && sequence !== feed.expected) {
      throw new Error(`Cannot accept message ${sequence} of room ${number}: ${feed.expected} comes next`);
    }
    feed.ledger.remember(message, sequence, this.#mark);
    this.frameBytes = message.wireBytes;
    take(feed, sequence);
  }
}

/** What a room is called, by its number. */
export function nameRoom(number: number): string {
  return `bench-${number}`;
}

function take(feed: Feed, sequence: number): void {
  feed.expected = sequence + 1;
  feed.ledger.count(sequence);
}
