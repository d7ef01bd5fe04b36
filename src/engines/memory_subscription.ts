import type { StreamListener, StreamSubscription } from "../core/engine.ts";
import type { MemoryStream } from "./memory_stream.ts";
import type { Position } from "../core/position.ts";

/** Who listens, and what must hear that it no longer does. */
export interface Subscriber {
  readonly listener: StreamListener;
  /** Called once, when the subscription is closed. */
  readonly onClose: (subscription: MemorySubscription) => void;
}

/** One listener's place among a stream's subscriptions. */
export class MemorySubscription implements StreamSubscription {
  readonly start: Position;
  readonly listener: StreamListener;
  readonly #subscriber: Subscriber;
  #closed = false;

  constructor(readonly stream: MemoryStream, subscriber: Subscriber) {
    this.start = stream.top;
    this.listener = subscriber.listener;
    this.#subscriber = subscriber;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriber.onClose(this);
  }
}
