import { AsyncLocalStorage } from "node:async_hooks";
import type { Hub } from "../core/hub.ts";
import type { Attachment } from "../core/hub.ts";
import type { LiveSource } from "./live_source.ts";
import { type CheckedArgs, type LiveMember, LiveSelection, type LiveSelectionDeps } from "./live_selection.ts";

/** What the live selections need. */
export interface LiveSelectionsDeps extends LiveSelectionDeps {
  readonly hub: Hub;
}

/** A subscription's text and the arguments graphql-js has checked. */
export interface LiveOperation {
  readonly text: string;
  readonly args: CheckedArgs;
}

interface Shared {
  readonly selection: LiveSelection;
  readonly attached: Promise<Attachment>;
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
  /**
   * The asynchronous context of the start. An event is published from within its
   * sender's request; without this the sender's AsyncLocalStorage would be visible to
   * resolvers whose result goes to everybody.
   */
  readonly #clean = AsyncLocalStorage.snapshot();

  constructor(deps: LiveSelectionsDeps) {
    this.#deps = deps;
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
    const key = selectionKey(source, operation);
    let shared = this.#selections.get(key);
    if (shared === undefined) {
      const selection = new LiveSelection(operation.args, source.request, this.#deps);
      const attached = this.#deps.hub.attach(source.request.feed, {
        deliver: (delivery) => this.#clean(() => selection.deliver(delivery)),
        gap: () => selection.gap(),
      });
      shared = { selection, attached };
      this.#selections.set(key, shared);
    }
    const { selection, attached } = shared;
    // Counted from here, so that the selection is not closed while this one waits.
    selection.add(member);
    const leave = (): void => {
      selection.remove(member);
      if (selection.size > 0 || this.#selections.get(key)?.selection !== selection) return;
      this.#selections.delete(key);
      // A failed attach has left nothing behind; whoever joined has been told of it.
      attached.then((attachment) => attachment.detach(), () => {});
    };
    try {
      await attached;
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }
}

function selectionKey(source: LiveSource, { text, args }: LiveOperation): string {
  const name = args.operation.name?.value ?? "";
  return `${source.request.feed.key}\n${name}\n${JSON.stringify(args.variableValues.coerced)}\n${text}`;
}
