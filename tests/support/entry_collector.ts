import type { StreamEntry } from "../../src/core/engine.ts";

/** Keeps what a subscription delivers, and tells when enough has come. */
export class EntryCollector {
  readonly entries: StreamEntry[] = [];
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** To be handed to `subscribe`. */
  readonly listener = (entry: StreamEntry): void => {
    this.entries.push(entry);
    for (const waiter of this.#waiting) if (this.entries.length >= waiter.count) waiter.resolve();
  };

  get texts(): string[] {
    return this.entries.map((entry) => entry.text);
  }

  get offsets(): number[] {
    return this.entries.map((entry) => entry.position.offset);
  }

  /** Resolves once so many entries have come. */
  async until(count: number): Promise<void> {
    if (this.entries.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }
}
