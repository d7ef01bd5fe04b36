import type { Filler } from "./filler.ts";
import { Ledger, SMALLEST_CONTENT_BYTES } from "./ledger.ts";
import type { Progress } from "./measurement.ts";
import type { Publisher } from "./publisher.ts";
import { nameRoom } from "./subscriber.ts";

/** How many rooms there are, and who hears of what happens in them. */
export interface TrafficOptions {
  readonly rooms: number;
  readonly subscribersPerRoom: number;
  /** What contents are padded with. @default {fillWithDots} */
  readonly filler?: Filler;
  /** Called for each delivery, with the moment its message was due. */
  readonly onDelivery?: (dueMs: number) => void;
}

/** Messages of all rooms: what was published, answered and delivered, and what is under way. */
export class Traffic {
  readonly ledgers: readonly Ledger[];
  /** Of each content; grows to `SMALLEST_CONTENT_BYTES` where less is asked for. */
  contentBytes = SMALLEST_CONTENT_BYTES;
  /** Called when every subscriber of its room has got a message. */
  onComplete = () => {};
  /** Called when anything has come or was answered that is waited for. */
  onProgress = () => {};
  #answered = 0;
  #published = 0;
  #completed = 0;
  #nextRoom = 0;

  constructor({ rooms, subscribersPerRoom, filler, onDelivery }: TrafficOptions) {
    const onComplete = (messages: number) => {
      this.#completed += messages;
      this.onComplete();
      this.onProgress();
    };
    const options = {
      subscribers: subscribersPerRoom,
      onComplete,
      ...(filler && { filler }),
      ...(onDelivery && { onDelivery }),
    };
    this.ledgers = Array.from({ length: rooms }, (_, roomNumber) => new Ledger({ ...options, roomNumber }));
  }

  get progress(): Pick<Progress, "deliveries" | "messages"> {
    const deliveries = this.ledgers.reduce((sum, ledger) => sum + ledger.deliveries, 0);
    return { deliveries, messages: this.#completed };
  }

  /** Messages published and not yet delivered to every subscriber. */
  get inFlight(): number {
    return this.#published - this.#completed;
  }

  /** Whether every message has come to every subscriber and every publish was answered. */
  get isQuiet(): boolean {
    return this.#completed === this.#published && this.#answered === this.#published;
  }

  /** For the message of a failure. */
  get summary(): string {
    return `of ${this.#published} messages ${this.#answered} were answered, and ${this.#completed} came everywhere`;
  }

  /** Publishes to the room after the one published to before, which was due now or at that moment. */
  publish(publisher: Publisher, dueMs = performance.now()): void {
    this.publishTo(this.#nextRoom, publisher, dueMs);
    this.#nextRoom = (this.#nextRoom + 1) % this.ledgers.length;
  }

  /** Publishes to that room. */
  publishTo(room: number, publisher: Publisher, dueMs = performance.now()): void {
    const ledger = this.ledgers[room];
    if (ledger === undefined) throw new RangeError(`Cannot publish to room ${room}: there is none`);
    this.#published++;
    publisher.publish(nameRoom(room), ledger.publish({ contentBytes: this.contentBytes, dueMs }));
  }

  /** Enters that a publish was answered. */
  answer(): void {
    this.#answered++;
    this.onProgress();
  }
}
