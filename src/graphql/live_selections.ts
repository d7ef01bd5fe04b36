import type { Caller } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { FeedRequest } from "../core/feed_request.ts";
import type { Attachment, Hub } from "../core/hub.ts";
import { SmallMap } from "../core/small_map.ts";
import { CatchUp } from "./catch_up.ts";
import { createCleanContext } from "./clean_context.ts";
import { EventPlans } from "./event_plans.ts";
import { FrameCache } from "./frame_cache.ts";
import type { LiveSource } from "./live_source.ts";
import { startVariables } from "./start_variables.ts";
import { SelectionCounts } from "./selection_counts.ts";
import { stopLeftovers } from "./shared_context.ts";
import { type LiveMember, LiveSelection } from "./live_selection.ts";
import { type CheckedArgs, SelectedFrames, type SelectedFramesDeps } from "./selected_frames.ts";
import { Tellings } from "./tellings.ts";

/** What the live selections need. */
export interface LiveSelectionsDeps extends Omit<SelectedFramesDeps, "cache" | "number" | "plans" | "clean"> {
  readonly hub: Hub;
  readonly clock: Clock;
}

/** A subscription's text and the arguments graphql-js has checked. */
export interface LiveOperation {
  readonly text: string;
  readonly args: CheckedArgs;
}

/** A member's part in a selection. */
export interface JoinedSelection {
  /** Resolves once it is live, or has left before. */
  readonly live: Promise<void>;
  /** Ends it, at once and once: nothing is delivered any more. */
  readonly leave: () => void;
}

interface Shared {
  readonly key: string;
  readonly selection: LiveSelection;
  readonly request: FeedRequest;
  readonly attached: Promise<Attachment>;
  /** Members, and those who wait to become one: while there are any, the selection stays. */
  users: number;
  /** Ends its being counted. Called once. */
  readonly release: () => void;
  /** For each member that has not got everything yet, who stands in for it. */
  readonly catchUps: SmallMap<LiveMember, CatchUp>;
}

/**
 * All live selections of this node, whatever the transport.
 *
 * Subscribers that ask the same of the same feed (document, operation, coerced
 * variables) are members of one selection.
 */
export class LiveSelections {
  readonly #deps: LiveSelectionsDeps;
  readonly #selections = new Map<string, Shared>();
  /** Found once for each parsed document, and forgotten with it. */
  readonly #startVariables = new WeakMap<CheckedArgs["operation"], ReadonlySet<string>>();
  readonly #plans = new EventPlans();
  readonly #clean = createCleanContext();
  readonly #frames: FrameCache;
  readonly #counts = new SelectionCounts();
  readonly #stopLeftovers = stopLeftovers();
  #opened = 0;
  readonly #tellings: Tellings;

  constructor(deps: LiveSelectionsDeps) {
    this.#deps = deps;
    this.#frames = new FrameCache(deps.clock);
    this.#tellings = new Tellings(deps.clock);
  }

  /** How many distinct selections there are. */
  get size(): number {
    return this.#selections.size;
  }

  /** How many subscribers there are. */
  get members(): number {
    let members = 0;
    for (const { selection } of this.#selections.values()) members += selection.size;
    return members;
  }

  /**
   * Makes a member of the selection, which is made when it is the first one's.
   *
   * `live` rejects as {@linkcode Hub.attach} does.
   *
   * @throws {RealtimeError} `SUBSCRIPTION_LIMIT` when it would be one selection too many
   */
  join(source: LiveSource, operation: LiveOperation, member: LiveMember): JoinedSelection {
    const key = selectionKey(source, operation, this.#startVariablesOf(operation));
    const shared = this.#selections.get(key) ?? this.#open(key, source, operation, member.viewer);
    shared.users++;
    let isIn = true;
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      this.#leave(shared, member);
    };
    return { leave, live: this.#begin(shared, source.request, member, { leave, isIn: () => isIn }) };
  }

  async #begin(
    shared: Shared,
    { feed, start, snapshot }: FeedRequest,
    member: LiveMember,
    { leave, isIn }: { readonly leave: () => void; readonly isIn: () => boolean },
  ): Promise<void> {
    const { selection, attached } = shared;
    try {
      const attachment = await attached;
      if (!isIn()) return;
      const live = attachment.position;
      // A selection that is still busy with earlier events would send them to a newcomer.
      if (start.kind === "now" && snapshot === undefined && selection.isIdle) {
        // Nothing can be delivered between being told of the place and being there.
        member.begin(attachment.cursor);
        selection.add(member);
        return;
      }
      const { hub } = this.#deps;
      const catchUp = this.#standIn(member, shared, attachment);
      selection.add(catchUp);
      const resolved = await hub.resolveStart(feed, start, live);
      if (!isIn()) return;
      member.begin(resolved.cursor);
      void catchUp.run(hub.backlog(feed, resolved.from, live), resolved);
    } catch (error) {
      leave();
      throw error;
    }
  }

  #leave(shared: Shared, member: LiveMember): void {
    const { key, selection, attached, catchUps } = shared;
    selection.remove(member);
    const catchUp = catchUps.get(member);
    if (catchUp !== undefined) {
      catchUp.stop();
      selection.remove(catchUp);
      catchUps.delete(member);
    }
    if (--shared.users > 0) return;
    this.#selections.delete(key);
    shared.release();
    // A failed attach has left nothing behind; whoever joined has been told of it.
    attached.then((attachment) => attachment.detach(), () => {});
  }

  #standIn(member: LiveMember, { selection, request, catchUps }: Shared, attachment: Attachment): CatchUp {
    const catchUp = new CatchUp({
      member,
      selection,
      request,
      mask: this.#deps.mask,
      livePosition: () => attachment.position,
      onDone: () => catchUps.delete(member),
    });
    catchUps.set(member, catchUp);
    return catchUp;
  }

  /** After a loss those who keep a list of members need it whole: they catch up once more. */
  async #catchUpAgain(shared: Shared): Promise<void> {
    const { selection, request: { feed } } = shared;
    const attachment = await shared.attached;
    for (const member of selection.members) {
      if (member instanceof CatchUp) {
        member.lose();
        continue;
      }
      const catchUp = this.#standIn(member, shared, attachment);
      selection.replace(member, catchUp, () => {
        const live = attachment.position;
        void catchUp.run(this.#deps.hub.backlog(feed, live, live), { resumes: false, lost: true });
      });
    }
  }

  #startVariablesOf({ args }: LiveOperation): ReadonlySet<string> {
    let variables = this.#startVariables.get(args.operation);
    if (variables === undefined) {
      variables = startVariables(args.operation, Object.values(args.fragmentDefinitions));
      this.#startVariables.set(args.operation, variables);
    }
    return variables;
  }

  /** Tells nobody any more, and keeps nothing. */
  close(): void {
    this.#tellings.close();
    this.#frames.close();
    this.#stopLeftovers();
  }

  #open(key: string, source: LiveSource, operation: LiveOperation, { principal: { userId }, address }: Caller): Shared {
    const { request } = source;
    const release = this.#counts.add(request.feed.key, { userId, address });
    const args = withoutStart(operation.args, this.#startVariablesOf(operation));
    const frames = new SelectedFrames(args, {
      ...this.#deps,
      plans: this.#plans,
      clean: this.#clean,
      cache: this.#frames,
      number: this.#opened++,
    });
    const selection = new LiveSelection(frames, request, {
      mask: this.#deps.mask,
      onMoved: (moved) => this.#tellings.note(moved),
    });
    const attached = this.#deps.hub.attach(request.feed, {
      deliver: (delivery) => selection.deliver(delivery),
      gap: () => request.snapshot === undefined ? selection.gap() : void this.#catchUpAgain(shared),
    });
    const shared: Shared = { key, selection, request, attached, users: 0, release, catchUps: new SmallMap() };
    this.#selections.set(key, shared);
    return shared;
  }
}

function selectionKey(source: LiveSource, { text, args }: LiveOperation, ignored: ReadonlySet<string>): string {
  const name = args.operation.name?.value ?? "";
  const { coerced, sources } = args.variableValues;
  const variables: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(coerced)) {
    // Where a subscriber begins is its own affair: it would be alone for ever otherwise.
    if (ignored.has(variable)) continue;
    // What a scalar makes of a value may be written like another: a Map is {}. What came in was JSON.
    variables[variable] = isComparable(value) ? value : { written: sources[variable]?.value };
  }
  const { feed, filter } = source.request;
  return `${feed.key}\n${filter}\n${name}\n${JSON.stringify(variables)}\n${text}`;
}

/** Whether JSON writes it like no other value. */
function isComparable(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || value === null || Number.isFinite(value);
}

/** The arguments without what differs between those who share them: where each begins, and how each wrote it. */
function withoutStart(args: CheckedArgs, ignored: ReadonlySet<string>): CheckedArgs {
  // No prototype, as graphql-js has it: a variable may be named like a method of objects.
  const without = <Value>(values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.assign(
      Object.create(null),
      Object.fromEntries(Object.entries(values).filter(([variable]) => !ignored.has(variable))),
    );
  const { sources, coerced } = args.variableValues;
  const variableValues = { sources: without(sources), coerced: without(coerced) };
  return { ...args, rawVariableValues: undefined, variableValues };
}
