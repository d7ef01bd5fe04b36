/**
 * A map of which there are many, nearly all of them empty or of one entry.
 *
 * An empty `Map` takes 180 bytes; this takes 48 until it has two entries. A loop sees
 * what was there when it began as long as that is one at most, and is otherwise that of
 * a `Map`.
 */
export class SmallMap<K extends string | object, V> {
  #key: K | undefined;
  #value: V | undefined;
  /** All entries, once there have been two. */
  #all: Map<K, V> | undefined;

  /** How many entries there are. */
  get size(): number {
    if (this.#all !== undefined) return this.#all.size;
    return this.#key === undefined ? 0 : 1;
  }

  get(key: K): V | undefined {
    if (this.#all !== undefined) return this.#all.get(key);
    return this.#key === key ? this.#value : undefined;
  }

  set(key: K, value: V): void {
    if (this.#all === undefined && this.#key !== undefined && this.#key !== key) {
      this.#all = new Map([[this.#key, this.#value!]]);
      this.#key = this.#value = undefined;
    }
    if (this.#all !== undefined) {
      this.#all.set(key, value);
    } else {
      this.#key = key;
      this.#value = value;
    }
  }

  delete(key: K): void {
    if (this.#all !== undefined) this.#all.delete(key);
    else if (this.#key === key) this.#key = this.#value = undefined;
  }

  clear(): void {
    this.#key = this.#value = this.#all = undefined;
  }

  values(): IterableIterator<V> {
    if (this.#all !== undefined) return this.#all.values();
    return (this.#key === undefined ? [] : [this.#value!]).values();
  }
}
