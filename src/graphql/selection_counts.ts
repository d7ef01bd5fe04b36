import { RealtimeError } from "../core/errors.ts";

/**
 * Distinct selections of one feed. An event is executed once for each of them, in one
 * go: at some 10 µs for a small one, a thousand hold the node for 10 ms.
 */
const MAX_OF_ONE_FEED = 1_000;
/** Distinct selections of a node. Each may keep a parsed document of its own, some 60 times the size of its text. */
const MAX_OF_NODE = 100_000;

/** Counts distinct selections, by feed and in all, and allows so many and no more. */
export class SelectionCounts {
  readonly #ofFeed = new Map<string, number>();
  #all = 0;

  /**
   * Counts one more, until the function it gives is called.
   *
   * @throws {RealtimeError} `SUBSCRIPTION_LIMIT`
   */
  add(feed: string): () => void {
    const ofFeed = this.#ofFeed.get(feed) ?? 0;
    if (ofFeed >= MAX_OF_ONE_FEED) throw tooMany(`"${feed}" is followed with`, MAX_OF_ONE_FEED);
    if (this.#all >= MAX_OF_NODE) throw tooMany("this node runs", MAX_OF_NODE);
    this.#ofFeed.set(feed, ofFeed + 1);
    this.#all++;
    return () => this.#remove(feed);
  }

  #remove(feed: string): void {
    const ofFeed = this.#ofFeed.get(feed)!;
    if (ofFeed === 1) this.#ofFeed.delete(feed);
    else this.#ofFeed.set(feed, ofFeed - 1);
    this.#all--;
  }
}

function tooMany(where: string, limit: number): RealtimeError {
  const message = `Cannot subscribe with another selection: ${where} ${limit} different ones already`;
  return new RealtimeError("SUBSCRIPTION_LIMIT", message, { limit });
}
