/** Buckets of each doubling: a value is known to 1 part in 64. */
const STEPS = 64;
const STEP_BITS = 6;
const DOUBLINGS = 32;

/** Counts values, whole numbers from 0, in little space: each within 1.6 % of its size. */
export class Histogram {
  #counts = new Uint32Array(STEPS * DOUBLINGS);
  #total = 0;

  /** Counts one value. */
  record(value: number): void {
    const whole = Math.max(0, Math.round(value));
    const shift = Math.max(0, 31 - Math.clz32(whole) - STEP_BITS);
    const index = shift * STEPS + (whole >>> shift);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total++;
  }

  /** The value that this share of all values, from 0 to 1, does not exceed; NaN when there are none. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen < wanted) continue;
      // The first doublings share the buckets 0 to 2 * STEPS - 1, where values are exact.
      const shift = index < 2 * STEPS ? 0 : Math.floor(index / STEPS) - 1;
      return (index - shift * STEPS) * 2 ** shift;
    }
    return NaN;
  }
}
