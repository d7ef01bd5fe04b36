/** One network may have this many times as many connections, those included that are only open to be told so. */
const FLOODED_BY = 2;

/** Counts what is open by the network it comes from, and says when one network has too much. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  /** How many one network may have; 0 is any number, and counts nothing. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Networks that have something open. */
  get size(): number {
    return this.#counts.size;
  }

  /** Counts one more, also of one that has too many: what is refused is open until it has gone. */
  add(network: string): void {
    if (this.#most > 0) this.#counts.set(network, this.#of(network) + 1);
  }

  /** Counts one less. Called once for each that was added. */
  remove(network: string): void {
    const left = this.#of(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }

  /** Whether one more would be too many. */
  isFull(network: string): boolean {
    return this.#most > 0 && this.#of(network) >= this.#most;
  }

  /** Whether the network has more than it may. */
  isOver(network: string): boolean {
    return this.#most > 0 && this.#of(network) > this.#most;
  }

  /** Whether the network has so many that one more is not even told so. */
  isFlooded(network: string): boolean {
    return this.#most > 0 && this.#of(network) >= this.#most * FLOODED_BY;
  }

  #of(network: string): number {
    return this.#counts.get(network) ?? 0;
  }
}
