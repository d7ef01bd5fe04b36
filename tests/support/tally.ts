/** Counts what happens, and tells when enough has. */
export class Tally<What extends string> {
  readonly #counts = new Map<What, number>();
  readonly #waiting = new Set<() => void>();

  /** It has happened once more. */
  add(what: What): void {
    this.#counts.set(what, this.count(what) + 1);
    for (const look of this.#waiting) look();
  }

  /** How often it has happened. */
  count(what: What): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Resolves when it has happened once more than now, or so many times more; whoever waits sets the time limit. */
  next(what: What, times = 1): Promise<void> {
    const wanted = this.count(what) + times;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.count(what) < wanted) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
