import type { FollowEnd } from "../core/follow_membership.ts";
import type { Unfollow } from "../core/rooms.ts";

/** Who has operations. */
export interface OperationOwner {
  /** Frees the operation's id. Called once for each that has ended, before what stops it. */
  ended(operation: RunningOperation): void;
}

/**
 * One operation of a connection, from its `subscribe` message to its end.
 *
 * It may be ended at any time, also while it is still being begun: by its own result,
 * by the client, by the server, with the connection. Only the first end counts.
 */
export class RunningOperation {
  readonly id: string;
  readonly isSubscription: boolean;
  readonly #owner: OperationOwner;
  #leave: Unfollow | undefined;
  #begun = false;
  #end: FollowEnd | undefined;

  constructor(owner: OperationOwner, id: string, isSubscription: boolean) {
    this.#owner = owner;
    this.id = id;
    this.isSubscription = isSubscription;
  }

  /** Whether it is a subscription that runs, and would hear of its client's complete. */
  get runs(): boolean {
    return this.#begun && !this.ended;
  }

  /** Whether it has been ended. Then nothing more may be said of its id: it may be another's. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Says that it runs, and what stops it: called at once when it has been ended meanwhile. */
  begin(leave: Unfollow): void {
    if (this.#end !== undefined) return leave(this.#end);
    this.#begun = true;
    this.#leave = leave;
  }

  /** Ends it, because its client has completed it or it failed, or because its connection has ended. */
  end(end: FollowEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#owner.ended(this);
    this.#leave?.(end);
  }
}
