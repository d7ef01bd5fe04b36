/** The first thing that goes wrong anywhere fails whatever is awaited here, then and later. */
export class Trouble {
  readonly #failure = Promise.withResolvers<never>();

  constructor() {
    // Whoever awaits something hears of a failure; nobody has to await.
    this.#failure.promise.catch(() => {});
  }

  /** Says what went wrong; only the first one counts. */
  fail(error: Error): void {
    this.#failure.reject(error);
  }

  /** Waits. Throws the failure, if any. */
  async sleep(ms: number): Promise<void> {
    await this.within(ms, new Promise<void>(() => {}));
  }

  /** Waits for the promise, no longer than the limit; false when it was too late. Throws the failure, if any. */
  async within(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    try {
      return await Promise.race([promise.then(() => true), late, this.#failure.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
