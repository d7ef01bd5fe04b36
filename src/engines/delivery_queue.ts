import type { StreamEntry } from "../core/engine.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Stream } from "../core/stream.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import { Fifo } from "../core/fifo.ts";
import type { MemoryStream } from "./memory_stream.ts";

interface WaitingDelivery {
  readonly stream: MemoryStream;
  readonly entry: StreamEntry;
}

/** Entries that may wait for their delivery. Only listeners that publish make any wait. */
const MAX_WAITING = 10_000;

/**
 * Hands entries to the subscriptions of their stream, one entry after the other.
 *
 * Synchronous. What a listener publishes is delivered after the entry it listens to:
 * all subscriptions see one order and no delivery runs inside another.
 */
export class DeliveryQueue {
  readonly #telemetry: Telemetry;
  readonly #waiting = new Fifo<WaitingDelivery>();
  #delivering = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** @throws {RealtimeError} `ENGINE_UNAVAILABLE` when too many entries wait. Asked before an entry is appended. */
  requireCapacity(stream: Stream): void {
    if (this.#waiting.length < MAX_WAITING) return;
    throw new RealtimeError(
      "ENGINE_UNAVAILABLE",
      `Cannot publish to "${stream}": ${MAX_WAITING} entries wait for their delivery already`,
      { retryAfterMs: 1_000 },
    );
  }

  deliver(stream: MemoryStream, entry: StreamEntry): void {
    if (stream.subscriptions === undefined) return;
    if (this.#delivering) return this.#waiting.push({ stream, entry });
    this.#delivering = true;
    this.#deliverNow(stream, entry);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#deliverNow(next.stream, next.entry);
    }
    this.#delivering = false;
  }

  #deliverNow(stream: MemoryStream, entry: StreamEntry): void {
    if (stream.subscriptions === undefined) return;
    for (const subscription of stream.subscriptions) {
      // One that was opened while the entry waited starts after it. What is not kept has no place of its
      // own: such a one gets it too, which does no harm.
      const { offset } = entry.position;
      if (offset < subscription.start.offset) continue;
      if (offset === subscription.start.offset && entry.transient === undefined) continue;
      try {
        subscription.listener(entry);
      } catch (error) {
        this.#telemetry.record("error", "engine.listener_failed", { stream: stream.name, error: describeError(error) });
      }
    }
  }
}
