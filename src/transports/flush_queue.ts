/** Something that gathers output during a turn of the event loop. */
export interface Flushable {
  /** Called once after the turn in which it was added. Must not throw. */
  flush(): void;
}

/** Flushes everything that gathered output in this turn, once, when the turn is over. */
export class FlushQueue {
  #dirty: Flushable[] = [];

  add(flushable: Flushable): void {
    if (this.#dirty.push(flushable) === 1) setImmediate(() => this.#flushAll());
  }

  #flushAll(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const flushable of dirty) flushable.flush();
  }
}
