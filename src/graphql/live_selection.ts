import { executeSubscriptionEvent, type ExecutionResult, type GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { Delivery, FeedReader } from "../core/hub.ts";
import type { FeedRequest, Rooms } from "../core/rooms.ts";
import { LiveFrame } from "./live_frame.ts";
import { createSharedContext } from "./shared_context.ts";

/** Subscription arguments that graphql-js has checked. */
export type CheckedArgs = Parameters<typeof executeSubscriptionEvent>[0];

/** One subscriber. Called synchronously, in the order of the feed. */
export interface LiveMember {
  readonly viewer: Caller;
  /** Called once, before anything else: the subscription is live, and what comes is behind this cursor. */
  begin(cursor: string): void;
  /** The next event, as shared bytes. Must not throw. */
  next(frame: LiveFrame): void;
  /** Ends the subscription with errors; nothing is called afterwards. */
  fail(errors: readonly GraphQLError[]): void;
}

/** What a live selection needs. */
export interface LiveSelectionDeps {
  readonly rooms: Rooms;
  /** Makes what was thrown presentable. */
  readonly mask: (error: unknown) => GraphQLError;
}

/** Publications that may wait for asynchronous resolvers of earlier ones. */
const MAX_WAITING = 1_000;

/**
 * One selection on one feed, executed once per event for all its members (G12).
 *
 * The execution sees a context that refuses to say who is asking. When a resolver asks
 * all the same, its result is thrown away, and from then on the selection is executed
 * once for each viewer. Events are executed one after the other, so that asynchronous
 * resolvers cannot change their order.
 */
export class LiveSelection implements FeedReader {
  readonly #args: CheckedArgs;
  readonly #request: FeedRequest;
  readonly #deps: LiveSelectionDeps;
  readonly #members = new Set<LiveMember>();
  readonly #waiting: Delivery[] = [];
  #executing = false;
  #perViewer = false;
  #gap = false;

  constructor(args: CheckedArgs, request: FeedRequest, deps: LiveSelectionDeps) {
    // The first subscriber's context must not outlive its part in this.
    this.#args = { ...args, contextValue: undefined };
    this.#request = request;
    this.#deps = deps;
  }

  /** How many subscribers there are. */
  get size(): number {
    return this.#members.size;
  }

  add(member: LiveMember): void {
    this.#members.add(member);
  }

  remove(member: LiveMember): void {
    this.#members.delete(member);
  }

  gap(): void {
    this.#gap = true;
  }

  deliver(delivery: Delivery): void {
    if (!this.#request.accepts(delivery.publication)) return;
    if (this.#executing) {
      if (this.#waiting.push(delivery) > MAX_WAITING) this.#giveUp();
      return;
    }
    this.#execute(delivery);
  }

  #execute(delivery: Delivery): void {
    let done: Promise<void> | undefined;
    try {
      done = this.#perViewer ? this.#executePerViewer(delivery) : this.#executeShared(delivery);
    } catch (error) {
      return this.#fail(error);
    }
    if (done === undefined) return;
    this.#executing = true;
    done.then(() => {
      this.#executing = false;
      // What executes at once leaves the way free for the next.
      while (!this.#executing && this.#waiting.length > 0) this.#execute(this.#waiting.shift()!);
    }, (error: unknown) => this.#fail(error));
  }

  /** Returns a promise only when a resolver did. */
  #executeShared(delivery: Delivery): Promise<void> | undefined {
    const shared = createSharedContext(this.#deps.rooms);
    const result = executeSubscriptionEvent({ ...this.#args, rootValue: delivery, contextValue: shared.context });
    const finish = (settled: ExecutionResult): Promise<void> | undefined => {
      if (shared.finish().touched) {
        this.#perViewer = true;
        return this.#executePerViewer(delivery);
      }
      this.#send(this.#frame(settled, delivery), delivery, this.#members);
    };
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  async #executePerViewer(delivery: Delivery): Promise<void> {
    const byViewer = new Map<Caller, LiveMember[]>();
    for (const member of this.#members) {
      const together = byViewer.get(member.viewer);
      if (together === undefined) byViewer.set(member.viewer, [member]);
      else together.push(member);
    }
    const { rooms } = this.#deps;
    await Promise.all([...byViewer].map(async ([viewer, members]) => {
      const contextValue = { rooms, viewer };
      const result = await executeSubscriptionEvent({ ...this.#args, rootValue: delivery, contextValue });
      const present = members.filter((member) => this.#members.has(member));
      this.#send(this.#frame(result, delivery), delivery, present);
    }));
    this.#gap = false;
  }

  #frame(result: ExecutionResult, delivery: Delivery): LiveFrame {
    const { cursor } = delivery;
    const errors = result.errors?.map((error) => this.#deps.mask(error).toJSON());
    const extensions = this.#gap ? { ...result.extensions, cursor, gap: true } : { ...result.extensions, cursor };
    return new LiveFrame(
      JSON.stringify(
        errors === undefined ? { data: result.data, extensions } : { data: result.data, errors, extensions },
      ),
      cursor,
    );
  }

  #send(frame: LiveFrame, { publication: { event } }: Delivery, members: Iterable<LiveMember>): void {
    if (!this.#perViewer) this.#gap = false;
    if (event.kind !== "message" || event.excludedSessionId === null) {
      for (const member of members) member.next(frame);
      return;
    }
    for (const member of members) {
      const { sessionId, principal } = member.viewer;
      // A session is known by user and id together: nobody is excluded by naming another's.
      if (sessionId === event.excludedSessionId && principal.userId === event.senderId) continue;
      member.next(frame);
    }
  }

  /** Resolvers that never answer must not keep events without end. */
  #giveUp(): void {
    this.#fail(new Error(`A live selection's resolvers are more than ${MAX_WAITING} events behind`));
  }

  #fail(error: unknown): void {
    this.#executing = false;
    this.#waiting.length = 0;
    const masked = this.#deps.mask(error);
    for (const member of [...this.#members]) member.fail([masked]);
  }
}
