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
import { ownCopy } from "./own_copy.ts";
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
 * resolver asks all the same, the result is thrown away, and from then on the frames
 * differ from viewer to viewer.
 *
 * Each execution has its own copy of the event and of the variables: what a resolver
 * keeps in them for one viewer is not there for the next.
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
    return this.#planned(delivery) ?? this.#deps.clean(() => this.#executedForAll(delivery));
  }

  #executedForAll(delivery: Delivery): LiveFrame | undefined | Promise<LiveFrame | undefined> {
    const result = this.#resultForAll(delivery);
    if (result instanceof Promise) return result.then((one) => one && this.#sharedFrame(one, delivery));
    return result && this.#sharedFrame(result, delivery);
  }

  forViewer(delivery: Delivery, viewer: Caller): Promise<LiveFrame> {
    const contextValue = { rooms: this.#deps.rooms, viewer };
    return this.#deps.clean(async () => this.#frame(await this.#execute(delivery, contextValue), delivery));
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
    const promised = this.#deps.clean(() => this.#resultForAll(delivery));
    // Not awaited without need: who comes in the same turn is to find the frame.
    const result = promised instanceof Promise ? await promised : promised;
    const frame = result && this.#sharedFrame(result, delivery);
    if (frame === undefined) return await this.forViewer(delivery, viewer);
    // What failed may not fail the next time.
    if (isKept && result?.errors === undefined) cache.put(key, frame);
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
    const context = createSharedContext(this.#deps.rooms, () => this.#differ = true);
    const finish = (result: ExecutionResult): ExecutionResult | undefined => this.#differ ? undefined : result;
    const result = this.#execute(delivery, context);
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  #execute(delivery: Delivery, contextValue: Context): ExecutionResult | Promise<ExecutionResult> {
    const { sources, coerced } = this.#args.variableValues;
    const variableValues = { sources, coerced: ownCopy(coerced) };
    return executeSubscriptionEvent({ ...this.#args, variableValues, rootValue: ownCopy(delivery), contextValue });
  }

  /** Undefined when it is not for everyone: writing the result out runs what resolvers left in it. */
  #sharedFrame(result: ExecutionResult, delivery: Delivery): LiveFrame | undefined {
    const frame = this.#frame(result, delivery);
    return this.#differ ? undefined : frame;
  }

  #frame({ data, errors, extensions }: ExecutionResult, { cursor }: Delivery): LiveFrame {
    try {
      return this.#write(data, errors, { ...extensions, cursor });
    } catch (error) {
      // What JSON has no word for is an error like any other, and the subscription goes on.
      return this.#write(null, [error], { cursor });
    }
  }

  #write(data: unknown, errors: readonly unknown[] | undefined, extensions: { readonly cursor: string }): LiveFrame {
    const masked = errors?.map((error) => this.#deps.mask(error).toJSON());
    const result = masked === undefined ? { data, extensions } : { data, errors: masked, extensions };
    return new LiveFrame(JSON.stringify(result), extensions.cursor);
  }
}
