/** Ids remembered; the oldest are forgotten. */
const MAX_IDS = 1_000;

/** Tells what comes for the second time: after a reconnect a message may be repeated. */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** Whether the id is new; from now on it is not. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > MAX_IDS) this.#ids.delete(this.#ids.values().next().value!);
    return true;
  }
}
