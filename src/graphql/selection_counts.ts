import { RealtimeError } from "../core/errors.ts";

/**
 * Distinct selections of one feed. An event is executed once for each of them, in one
 * go: at some 10 µs for a small one, a thousand hold the node for 10 ms.
 */
const MAX_OF_ONE_FEED = 1_000;
/** Those of them that one user was the first to ask for: more would leave too few for others. */
const MAX_OF_ONE_USER = 50;
/** Distinct selections of a node. Each may keep a parsed document of its own, some 60 times the size of its text. */
const MAX_OF_NODE = 100_000;

/** Counts distinct selections, by feed, by feed and user, and in all, and allows so many and no more. */
export class SelectionCounts {
  readonly #ofFeed = new Map<string, number>();
  readonly #ofUser = new Map<string, number>();
  #all = 0;

  /**
   * Counts one more for the user who asks for it first, until the function it gives is called.
   *
   * @throws {RealtimeError} `SUBSCRIPTION_LIMIT`
   */
  add(feed: string, userId: string): () => void {
    // No feed's name holds a NUL.
    const own = `${feed}\0${userId}`;
    if ((this.#ofUser.get(own) ?? 0) >= MAX_OF_ONE_USER) throw tooMany(`you follow "${feed}" with`, MAX_OF_ONE_USER);
    if ((this.#ofFeed.get(feed) ?? 0) >= MAX_OF_ONE_FEED) throw tooMany(`"${feed}" is followed with`, MAX_OF_ONE_FEED);
    if (this.#all >= MAX_OF_NODE) throw tooMany("this node runs", MAX_OF_NODE);
    count(this.#ofUser, own, 1);
    count(this.#ofFeed, feed, 1);
    this.#all++;
    return () => {
      count(this.#ofUser, own, -1);
      count(this.#ofFeed, feed, -1);
      this.#all--;
    };
  }
}

function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const changed = (counts.get(key) ?? 0) + change;
  if (changed === 0) counts.delete(key);
  else counts.set(key, changed);
}

function tooMany(where: string, limit: number): RealtimeError {
  const message = `Cannot subscribe with another selection: ${where} ${limit} different ones already`;
  return new RealtimeError("SUBSCRIPTION_LIMIT", message, { limit });
}
