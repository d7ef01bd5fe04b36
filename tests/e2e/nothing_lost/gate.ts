/** Where those who want to come back pass, or wait. */
export class Gate {
  #left = Infinity;
  #opened = Promise.withResolvers<void>();

  /** Lets so many more pass, and whoever comes then wait. */
  close(left = 0): void {
    this.#left = left;
    this.#opened = Promise.withResolvers();
  }

  /** Lets everybody pass. */
  open(): void {
    this.#left = Infinity;
    this.#opened.resolve();
  }

  /** Resolves when one may pass. */
  async pass(): Promise<void> {
    if (this.#left-- <= 0) await this.#opened.promise;
  }
}
