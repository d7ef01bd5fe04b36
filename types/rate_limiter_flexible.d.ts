declare module "rate-limiter-flexible/memory-storage" {
  /** What rate-limiter-flexible says of a key. */
  interface Counted {
    readonly consumedPoints: number;
    readonly isFirstInDuration: boolean;
  }

  export default class MemoryStorage {
    incrby(key: string, value: number, durationSec: number): Counted;
    get(key: string): Counted | null;
  }
}
