/**
 * A set of which there are many, nearly all of them empty or of one.
 *
 * An empty `Set` takes 150 bytes; this takes 32 until it has two. It is not for sets of
 * sets. A loop sees what was there when it began as long as that is one at most, and is
 * otherwise that of a `Set`: what is taken out meanwhile does no harm.
 */
export class SmallSet<T extends string | object> implements Iterable<T> {
  #held: T | Set<T> | undefined;

  /** How many there are. */
  get size(): number {
    const held = this.#held;
    if (held instanceof Set) return held.size;
    return held === undefined ? 0 : 1;
  }

  has(one: T): boolean {
    const held = this.#held;
    return held instanceof Set ? held.has(one) : held === one;
  }

  add(one: T): void {
    const held = this.#held;
    if (held instanceof Set) held.add(one);
    else if (held === undefined) this.#held = one;
    else if (held !== one) this.#held = new Set([held, one]);
  }

  /** Whether it was there. */
  delete(one: T): boolean {
    const held = this.#held;
    if (held instanceof Set) return held.delete(one);
    if (held !== one) return false;
    this.#held = undefined;
    return true;
  }

  clear(): void {
    this.#held = undefined;
  }

  [Symbol.iterator](): IterableIterator<T> {
    const held = this.#held;
    if (held instanceof Set) return held.values();
    return (held === undefined ? [] : [held]).values();
  }
}
