/**
 * A queue that can be looked into: first in, first out, any place read at once.
 *
 * Adding and taking are O(1) on average. An array's own `shift` moves all that is
 * left, and a `Map` emptied from its front searches its way through what is gone.
 */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  /** Where the first item stands; what is before it has been taken. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item so many places after the first; undefined beyond either end. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first item; undefined when there is none. */
  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= MIN_TAKEN && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** A copy of at most `count` items from a place on. */
  slice(index: number, count: number): T[] {
    const start = this.#head + index;
    return this.#items.slice(start, start + count) as T[];
  }

  /** Forgets everything. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}

/** Fewer taken items than this are not worth a copy of the rest. */
const MIN_TAKEN = 32;
