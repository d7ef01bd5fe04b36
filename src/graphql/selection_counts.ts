import { RealtimeError } from "../core/errors.ts";

/**
 * Distinct selections of one feed. An event is executed once for each of them, in one
 * go: at some 10 µs for a small one, a thousand hold the node for 10 ms.
 */
const MAX_OF_ONE_FEED = 1_000;
/** Those of them that one user was the first to ask for: more would leave too few for others. */
const MAX_OF_ONE_USER = 50;
/** Those that were first asked for from one address, where anybody can be many users. */
const MAX_OF_ONE_ADDRESS = 200;
/** Distinct selections of a node. Each may keep a parsed document of its own, some 60 times the size of its text. */
const MAX_OF_NODE = 100_000;
/** Those of them that were first asked for from one address. */
const MAX_OF_NODE_AND_ADDRESS = 10_000;

/** Who asks for a selection first. */
export interface Asking {
  readonly userId: string;
  /** The network it asks from; undefined: it is not counted by that. */
  readonly address: string | undefined;
}

/**
 * Counts distinct selections and allows so many and no more: of a feed, of a node, and of
 * each what one user or one address was the first to ask for. Whoever asks for one that
 * runs already joins it, whatever the counts are.
 */
export class SelectionCounts {
  readonly #ofFeed = new Map<string, number>();
  readonly #ofUser = new Map<string, number>();
  readonly #ofAddress = new Map<string, number>();
  #all = 0;

  /**
   * Counts one more for whoever asks for it first, until the function it gives is called.
   *
   * @throws {RealtimeError} `SUBSCRIPTION_LIMIT`
   */
  add(feed: string, { userId, address }: Asking): () => void {
    // No feed's name holds a NUL.
    const own = `${feed}\0${userId}`;
    const local = address === undefined
      ? []
      : [[`${feed}\0${address}`, MAX_OF_ONE_ADDRESS], [address, MAX_OF_NODE_AND_ADDRESS]] as const;
    if ((this.#ofUser.get(own) ?? 0) >= MAX_OF_ONE_USER) throw tooMany(`you follow "${feed}" with`, MAX_OF_ONE_USER);
    for (const [key, limit] of local) {
      if ((this.#ofAddress.get(key) ?? 0) < limit) continue;
      throw tooMany(
        key === address ? "from your address there run" : `from your address "${feed}" is followed with`,
        limit,
      );
    }
    if ((this.#ofFeed.get(feed) ?? 0) >= MAX_OF_ONE_FEED) throw tooMany(`"${feed}" is followed with`, MAX_OF_ONE_FEED);
    if (this.#all >= MAX_OF_NODE) throw tooMany("this node runs", MAX_OF_NODE);
    count(this.#ofUser, own, 1);
    count(this.#ofFeed, feed, 1);
    for (const [key] of local) count(this.#ofAddress, key, 1);
    this.#all++;
    return () => {
      count(this.#ofUser, own, -1);
      count(this.#ofFeed, feed, -1);
      for (const [key] of local) count(this.#ofAddress, key, -1);
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
