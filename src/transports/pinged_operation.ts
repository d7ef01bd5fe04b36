import type { FrameNotice } from "../graphql/live_frame.ts";
import type { KeptOperation } from "./receipt_keeper.ts";
import type { ReceiptOwner } from "./receipt_owner.ts";

/** An operation where it begins. */
export interface ReceiptBeginning {
  readonly cursor: string;
  /** Whether that is where its client left off on an earlier connection, on which it answered. */
  readonly earned: boolean;
  /** Ends it where it runs, because its client has come back elsewhere. */
  detach(): void;
  /** Where what has been sent so far brings its client. */
  sent(): string;
}

/** Of all that have none: most operations most of the time. */
const NONE: readonly string[] = [];

/** A kept operation, the pings that told of it and have not been answered, and what the next one is to tell. */
export class PingedOperation implements KeptOperation {
  readonly owner: ReceiptOwner;
  confirmed: string;
  earned: boolean;
  /** What its unanswered pings said, oldest first. */
  pinged = NONE;
  /** Whether it is further than the last Ping said. */
  moved = false;
  /** What the next Ping says of losses, unless a frame says it first. */
  notice: FrameNotice | undefined;
  readonly #beginning: ReceiptBeginning;

  constructor(owner: ReceiptOwner, beginning: ReceiptBeginning) {
    this.owner = owner;
    this.confirmed = beginning.cursor;
    this.earned = beginning.earned;
    this.#beginning = beginning;
  }

  /** A Ping has told that it is here. */
  ping(cursor: string): void {
    this.pinged = [...this.pinged, cursor];
  }

  /** The oldest so many have been answered. */
  forget(count: number): void {
    this.pinged = count === this.pinged.length ? NONE : this.pinged.slice(count);
  }

  sent(): string {
    return this.#beginning.sent();
  }

  detach(): void {
    this.#beginning.detach();
  }
}
