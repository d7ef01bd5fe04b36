import type { Idempotency } from "../core/engine.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Position } from "../core/position.ts";
import type { Stream } from "../core/stream.ts";
import { Fifo } from "../core/fifo.ts";

/** What the memory of keys needs. */
export interface MemoryKeysDeps {
  /** Steady milliseconds. */
  readonly now: () => number;
  /** Keys remembered at once of those that live equally long; the oldest are forgotten first. */
  readonly maxKeys: number;
}

interface Remembered {
  readonly id: string;
  readonly fingerprint: string;
  readonly position: Position;
  readonly expiresAtMs: number;
}

/** The idempotency keys of all streams, each until its time has passed. */
export class MemoryKeys {
  readonly #deps: MemoryKeysDeps;
  readonly #byId = new Map<string, Remembered>();
  /**
   * By how long they live, in the order they were remembered; may hold some that a later
   * one has replaced. Apart, so that the many that are made for each operation do not
   * push out those that were chosen.
   */
  readonly #orders = new Map<number, Fifo<Remembered>>();

  constructor(deps: MemoryKeysDeps) {
    this.#deps = deps;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * The position of the entry that was published with this key, if one was.
   *
   * @throws {RealtimeError} `IDEMPOTENCY_KEY_REUSED` when the key stands for something else.
   */
  recall(stream: Stream, id: string, { fingerprint }: Idempotency): Position | undefined {
    const remembered = this.#byId.get(id);
    if (remembered === undefined || remembered.expiresAtMs <= this.#deps.now()) return undefined;
    if (remembered.fingerprint !== fingerprint) {
      throw new RealtimeError(
        "IDEMPOTENCY_KEY_REUSED",
        `Cannot publish to "${stream}" with this idempotency key: it was used for something else`,
      );
    }
    return remembered.position;
  }

  /** Called once it is known that there is none. */
  remember(id: string, { fingerprint, ttlMs }: Idempotency, position: Position): void {
    const remembered = { id, fingerprint, position, expiresAtMs: this.#deps.now() + ttlMs };
    this.#byId.set(id, remembered);
    let order = this.#orders.get(ttlMs);
    if (order === undefined) this.#orders.set(ttlMs, order = new Fifo());
    order.push(remembered);
    if (order.length > this.#deps.maxKeys) this.#forgetOldest(order);
  }

  /** Forgets what has expired. */
  sweep(): void {
    const now = this.#deps.now();
    for (const order of this.#orders.values()) {
      while ((order.at(0)?.expiresAtMs ?? Infinity) <= now) this.#forgetOldest(order);
    }
  }

  #forgetOldest(order: Fifo<Remembered>): void {
    const oldest = order.shift();
    if (oldest !== undefined && this.#byId.get(oldest.id) === oldest) this.#byId.delete(oldest.id);
  }
}

/** What a key is remembered by. No name of a stream can hold a NUL, so the first one ends it. */
export function keyId(stream: Stream, { key }: Idempotency): string {
  return `${stream}\0${key}`;
}
