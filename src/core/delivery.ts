import type { Publication } from "./event.ts";
import type { FeedPosition } from "./feed.ts";

/** One publication as it reaches the readers of one feed. */
export interface Delivery {
  readonly publication: Publication;
  /** Everything up to here has been delivered to every reader of the feed. */
  readonly position: FeedPosition;
  /** The same as clients keep it. */
  readonly cursor: string;
}
