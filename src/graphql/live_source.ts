import { parseResume } from "../core/feed_start.ts";
import type { FeedRequest } from "../core/feed_request.ts";

/**
 * What a live root field's `subscribe` returns: what to follow, not how.
 *
 * graphql-js asks a `subscribe` for an async iterable, and this looks like one; it is
 * attached to a shared live selection instead of being iterated. A field that returns
 * a real iterable takes graphql-js's own road, unshared.
 */
export class LiveSource implements AsyncIterable<never> {
  constructor(readonly request: FeedRequest) {}

  /** The same, going on behind the cursor of a client that comes back. */
  resumed(cursor: string): LiveSource {
    const start = parseResume(this.request.feed, cursor);
    return new LiveSource({ ...this.request, start });
  }

  [Symbol.asyncIterator](): AsyncIterator<never> {
    throw new TypeError("Cannot iterate a live source: it is attached to a live selection");
  }
}
