import type { Subscribing } from "../peers/peer.ts";
import type { Connection } from "./connection.ts";
import type { Frame } from "./frames.ts";
import { measureFrame } from "./frames.ts";
import type { Ledger } from "./ledger.ts";

/** What a subscriber needs. */
export interface SubscriberDeps {
  readonly connection: Connection;
  readonly dialogue: Subscribing;
  readonly ledger: Ledger;
  /** Called when the server has let it in; it may not be live yet. */
  readonly onReady: () => void;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** One subscriber: takes every delivery in order, each exactly once, and throws at anything else. */
export class Subscriber {
  /** Bytes on the wire of its newest delivery that was read in full. */
  frameBytes = 0;
  readonly #deps: SubscriberDeps;
  readonly #mark: Uint8Array;
  /** The sequence that must come next; -1 before the first delivery, which may be any. */
  #expected = -1;

  constructor(deps: SubscriberDeps) {
    this.#deps = deps;
    this.#mark = encoder.encode(deps.dialogue.mark);
  }

  /** Says how far it is, for the message of a failure. */
  get position(): string {
    return this.#expected < 0 ? "has got nothing" : `waits for message ${this.#expected}`;
  }

  /** Takes one message of the server. */
  hear(message: Frame): void {
    if (this.#deps.ledger.matches(message, this.#expected, this.#mark)) this.#take(this.#expected);
    else this.#hearInFull(message);
  }

  #hearInFull(message: Frame): void {
    const { connection, dialogue, ledger, onReady } = this.#deps;
    const heard = dialogue.hear(decoder.decode(message.bytes.subarray(message.start, message.end)));
    if (heard.reply !== undefined) connection.send(heard.reply);
    if (heard.kind === "ready") onReady();
    if (heard.kind !== "delivery") return;
    const sequence = ledger.read(heard.content);
    if (this.#expected >= 0 && sequence !== this.#expected) {
      throw new Error(`Cannot accept message ${sequence}: ${this.#expected} comes next`);
    }
    ledger.remember(message, sequence, this.#mark);
    this.frameBytes = measureFrame(message);
    this.#take(sequence);
  }

  #take(sequence: number): void {
    this.#expected = sequence + 1;
    this.#deps.ledger.count(sequence);
  }
}
