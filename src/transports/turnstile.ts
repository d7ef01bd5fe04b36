/** Lets so many in at once; the others wait in line. */
export class Turnstile {
  readonly #places: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Comes in: at once, which is undefined, or when the promise resolves. */
  enter(): Promise<void> | undefined {
    if (this.#inside < this.#places) {
      this.#inside++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Goes out; the place goes to the first in line. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inside--;
    else next();
  }
}
