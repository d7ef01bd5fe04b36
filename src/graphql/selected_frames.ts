import { executeSubscriptionEvent, type ExecutionResult, type GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { Delivery } from "../core/delivery.ts";
import { messageId } from "../core/event.ts";
import type { Rooms } from "../core/rooms.ts";
import type { CleanContext } from "./clean_context.ts";
import type { Context } from "./context.ts";
import type { EventPlans } from "./event_plans.ts";
import type { FrameCache } from "./frame_cache.ts";
import { LiveFrame } from "./live_frame.ts";
import type { SelectionPlan } from "./selection_plan.ts";
import { createSharedContext } from "./shared_context.ts";

/** Subscription arguments that graphql-js has checked. */
export type CheckedArgs = Parameters<typeof executeSubscriptionEvent>[0];

/** What making a selection's frames needs. */
export interface SelectedFramesDeps {
  readonly rooms: Rooms;
  readonly plans: EventPlans;
  readonly clean: CleanContext;
  /** Makes what was thrown presentable. */
  readonly mask: (error: unknown) => GraphQLError;
  /** What members missed and was read from history. */
  readonly cache: FrameCache;
  /** Tells the selection from every other one of the node. */
  readonly number: number;
}

/**
 * What one selection makes of each event: executed, stringified.
 *
 * Executed once for everybody, in a context that refuses to say who is asking. When a
 * resolver asks all the same, its result is thrown away, and from then on the frames
 * differ from viewer to viewer.
 */
export class SelectedFrames {
  readonly #args: CheckedArgs;
  readonly #deps: SelectedFramesDeps;
  /** Undefined when the selection has fields that only graphql-js can execute. */
  readonly #plan: SelectionPlan | undefined;
  #differ = false;

  constructor(args: CheckedArgs, deps: SelectedFramesDeps) {
    // The first subscriber's context must not outlive its part in this.
    this.#args = { ...args, contextValue: undefined };
    this.#deps = deps;
    this.#plan = deps.plans.of(args);
  }

  /** Whether each viewer has frames of its own. */
  get differ(): boolean {
    return this.#differ;
  }

  /** The frame that is the same for everyone; undefined when there is none. A promise only when a resolver gave one. */
  forAll(delivery: Delivery): LiveFrame | undefined | Promise<LiveFrame | undefined> {
    const planned = this.#planned(delivery);
    if (planned !== undefined) return planned;
    const result = this.#resultForAll(delivery);
    if (result instanceof Promise) return result.then((one) => one && this.#frame(one, delivery));
    return result && this.#frame(result, delivery);
  }

  async forViewer(delivery: Delivery, viewer: Caller): Promise<LiveFrame> {
    const contextValue = { rooms: this.#deps.rooms, viewer };
    return this.#frame(await this.#execute(delivery, contextValue), delivery);
  }

  /** The frame of an event that was read from history: made once for all who missed the same. */
  async missed(delivery: Delivery, viewer: Caller): Promise<LiveFrame> {
    if (this.#differ) return await this.forViewer(delivery, viewer);
    const { publication: { position, transient }, cursor } = delivery;
    const { cache, number } = this.#deps;
    const key = `${number} ${messageId(position)} ${cursor}`;
    // What is not kept has no place of its own to be known by, and changes.
    const isKept = transient === undefined;
    const known = isKept ? cache.get(key) : undefined;
    if (known !== undefined) return known;
    const planned = this.#planned(delivery);
    if (planned !== undefined) {
      if (isKept) cache.put(key, planned);
      return planned;
    }
    const promised = this.#resultForAll(delivery);
    // Not awaited without need: who comes in the same turn is to find the frame.
    const result = promised instanceof Promise ? await promised : promised;
    if (result === undefined) return await this.forViewer(delivery, viewer);
    const frame = this.#frame(result, delivery);
    // What failed may not fail the next time.
    if (isKept && result.errors === undefined) cache.put(key, frame);
    return frame;
  }

  /** What is plain is the same for everyone, and needs no execution. */
  #planned(delivery: Delivery): LiveFrame | undefined {
    const data = this.#plan?.run(delivery);
    if (data === undefined) return undefined;
    const { cursor } = delivery;
    return new LiveFrame(`{"data":${data},"extensions":{"cursor":${JSON.stringify(cursor)}}}`, cursor);
  }

  #resultForAll(delivery: Delivery): ExecutionResult | undefined | Promise<ExecutionResult | undefined> {
    const shared = createSharedContext(this.#deps.rooms);
    const finish = (result: ExecutionResult): ExecutionResult | undefined => {
      if (!shared.finish().touched) return result;
      this.#differ = true;
      return undefined;
    };
    const result = this.#execute(delivery, shared.context);
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  #execute(rootValue: Delivery, contextValue: Context): ReturnType<typeof executeSubscriptionEvent> {
    return this.#deps.clean(() => executeSubscriptionEvent({ ...this.#args, rootValue, contextValue }));
  }

  #frame(result: ExecutionResult, { cursor }: Delivery): LiveFrame {
    const errors = result.errors?.map((error) => this.#deps.mask(error).toJSON());
    const extensions = { ...result.extensions, cursor };
    return new LiveFrame(
      JSON.stringify(
        errors === undefined ? { data: result.data, extensions } : { data: result.data, errors, extensions },
      ),
      cursor,
    );
  }
}
