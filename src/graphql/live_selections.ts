import { AsyncLocalStorage } from "node:async_hooks";
import type { Cancel, Clock } from "../core/clock.ts";
import { formatCursor } from "../core/cursor.ts";
import type { Attachment, Hub } from "../core/hub.ts";
import { CatchUp } from "./catch_up.ts";
import { FrameCache } from "./frame_cache.ts";
import type { LiveSource } from "./live_source.ts";
import { startVariables } from "./start_variables.ts";
import { type CheckedArgs, type LiveMember, LiveSelection, type LiveSelectionDeps } from "./live_selection.ts";

/** What the live selections need. */
export interface LiveSelectionsDeps extends Omit<LiveSelectionDeps, "onMoved" | "frames"> {
  readonly hub: Hub;
  readonly clock: Clock;
}

/** How long members wait to be told where they are, in milliseconds: many events are told of at once. */
const TELL_MOVED_MS = 1_000;

/** A subscription's text and the arguments graphql-js has checked. */
export interface LiveOperation {
  readonly text: string;
  readonly args: CheckedArgs;
}

interface Shared {
  readonly selection: LiveSelection;
  readonly attached: Promise<Attachment>;
  /** Members, and those who wait to become one: while there are any, the selection stays. */
  users: number;
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
  /**
   * The asynchronous context of the start. An event is published from within its
   * sender's request; without this the sender's AsyncLocalStorage would be visible to
   * resolvers whose result goes to everybody.
   */
  readonly #clean = AsyncLocalStorage.snapshot();

  readonly #frames: FrameCache;
  #opened = 0;
  /** Selections whose members are to be told where they are. */
  #moved = new Set<LiveSelection>();
  #cancelTelling: Cancel | undefined;

  constructor(deps: LiveSelectionsDeps) {
    this.#deps = deps;
    this.#frames = new FrameCache(deps.clock);
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
   * Resolves once live; the function it gives ends the membership, at once and once.
   *
   * @throws as {@linkcode Hub.attach} does
   */
  async join(source: LiveSource, operation: LiveOperation, member: LiveMember): Promise<() => void> {
    const { feed } = source.request;
    const key = selectionKey(source, operation, this.#startVariablesOf(operation));
    const shared = this.#selections.get(key) ?? this.#open(key, source, operation);
    const { selection, attached } = shared;
    shared.users++;
    let catchUp: CatchUp | undefined;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      selection.remove(member);
      if (catchUp !== undefined) {
        catchUp.stop();
        selection.remove(catchUp);
      }
      if (--shared.users > 0) return;
      if (this.#selections.get(key) === shared) this.#selections.delete(key);
      // A failed attach has left nothing behind; whoever joined has been told of it.
      attached.then((attachment) => attachment.detach(), () => {});
    };
    try {
      const attachment = await attached;
      const live = attachment.position;
      const { start } = source.request;
      // A selection that is still busy with earlier events would send them to a newcomer.
      if (start.kind === "now" && selection.isIdle) {
        // Nothing can be delivered between being told of the place and being there.
        member.begin(formatCursor(feed, live));
        selection.add(member);
        return leave;
      }
      const { hub, mask } = this.#deps;
      catchUp = new CatchUp({ member, selection, feed, mask, livePosition: () => attachment.position });
      selection.add(catchUp);
      const resolved = await hub.resolveStart(feed, start, live);
      member.begin(resolved.cursor);
      void catchUp.run(hub.backlog(feed, resolved.from, live), resolved);
      return leave;
    } catch (error) {
      leave();
      throw error;
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
    this.#cancelTelling?.();
    this.#frames.close();
  }

  #noteMoved(selection: LiveSelection): void {
    this.#moved.add(selection);
    this.#cancelTelling ??= this.#deps.clock.after(TELL_MOVED_MS, () => {
      this.#cancelTelling = undefined;
      const moved = this.#moved;
      this.#moved = new Set();
      for (const one of moved) one.tellMoved();
    });
  }

  #open(key: string, source: LiveSource, operation: LiveOperation): Shared {
    const selection = new LiveSelection(operation.args, source.request, {
      ...this.#deps,
      frames: this.#frames,
      number: this.#opened++,
      onMoved: (moved) => this.#noteMoved(moved),
    });
    const attached = this.#deps.hub.attach(source.request.feed, {
      deliver: (delivery) => this.#clean(() => selection.deliver(delivery)),
      gap: () => selection.gap(),
    });
    const shared = { selection, attached, users: 0 };
    this.#selections.set(key, shared);
    return shared;
  }
}

function selectionKey(source: LiveSource, { text, args }: LiveOperation, ignored: ReadonlySet<string>): string {
  const name = args.operation.name?.value ?? "";
  const { coerced } = args.variableValues;
  // Where a subscriber begins is its own affair: it would be alone for ever otherwise.
  const variables = ignored.size === 0
    ? coerced
    : Object.fromEntries(Object.entries(coerced).filter(([variable]) => !ignored.has(variable)));
  return `${source.request.feed.key}\n${name}\n${JSON.stringify(variables)}\n${text}`;
}
