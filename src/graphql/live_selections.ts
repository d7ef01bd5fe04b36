import { AsyncLocalStorage } from "node:async_hooks";
import { formatCursor } from "../core/cursor.ts";
import type { Attachment, Hub } from "../core/hub.ts";
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
    const { feed } = source.request;
    const key = selectionKey(source, operation);
    const shared = this.#selections.get(key) ?? this.#open(key, source, operation);
    const { selection, attached } = shared;
    shared.users++;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      selection.remove(member);
      if (--shared.users > 0) return;
      if (this.#selections.get(key) === shared) this.#selections.delete(key);
      // A failed attach has left nothing behind; whoever joined has been told of it.
      attached.then((attachment) => attachment.detach(), () => {});
    };
    try {
      const { position } = await attached;
      // From here to the end nothing can be delivered in between.
      member.begin(formatCursor(feed, position));
      selection.add(member);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  #open(key: string, source: LiveSource, operation: LiveOperation): Shared {
    const selection = new LiveSelection(operation.args, source.request, this.#deps);
    const attached = this.#deps.hub.attach(source.request.feed, {
      deliver: (delivery) => this.#clean(() => selection.deliver(delivery)),
      gap: () => selection.gap(),
    });
    const shared = { selection, attached, users: 0 };
    this.#selections.set(key, shared);
    return shared;
  }
}

function selectionKey(source: LiveSource, { text, args }: LiveOperation): string {
  const name = args.operation.name?.value ?? "";
  return `${source.request.feed.key}\n${name}\n${JSON.stringify(args.variableValues.coerced)}\n${text}`;
}
