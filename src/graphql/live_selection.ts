import type { GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { FeedEvent } from "../core/event.ts";
import type { Delivery } from "../core/delivery.ts";
import type { FeedReader } from "../core/hub.ts";
import type { FeedRequest } from "../core/feed_request.ts";
import { inTurns } from "./in_turns.ts";
import type { FrameNotice, LiveFrame } from "./live_frame.ts";
import type { SelectedFrames } from "./selected_frames.ts";

/** One subscriber. Called synchronously, in the order of the feed. */
export interface LiveMember {
  readonly viewer: Caller;
  /** In which of the `PHASES` of a second it is told where it is; a connection's all in one. @default {0} */
  readonly phase?: number;
  /** Called once, before anything else: the subscription is live, and what comes is behind this cursor. */
  begin(cursor: string): void;
  /** The next event, as shared bytes. Must not throw. */
  next(frame: LiveFrame, delivery: Delivery): void;
  /**
   * Everything up to this cursor has been sent, or was not for this member. Called after
   * events, some time later and once for many; not while the member catches up, and not
   * while the next frame has a loss to tell: who moved past it would never hear of it.
   */
  moved(cursor: string): void;
  /** Says ahead what the next frame will say of what came before it: there may be none for long. */
  notice(notice: FrameNotice): void;
  /** Ends the subscription with errors; nothing is called afterwards. */
  fail(errors: readonly GraphQLError[]): void;
  /**
   * Whether the reader should be given time: a promise of when to look again, or
   * undefined while more may be sent. For events that are read from history; live ones
   * do not wait.
   */
  busy(): Promise<void> | undefined;
}

/** What a live selection needs. */
export interface LiveSelectionDeps {
  /** Makes what was thrown presentable. */
  readonly mask: (error: unknown) => GraphQLError;
  /** Called when an event has been dealt with: some time later `tellMoved` is to be called. */
  readonly onMoved: (selection: LiveSelection) => void;
}

/** Publications that may wait for asynchronous resolvers of earlier ones. */
const MAX_WAITING = 1_000;

/**
 * One selection on one feed, executed once per event for all its members (G12).
 *
 * Events are executed one after the other, so that asynchronous resolvers cannot change
 * their order.
 */
export class LiveSelection implements FeedReader {
  readonly #request: FeedRequest;
  readonly #deps: LiveSelectionDeps;
  readonly #frames: SelectedFrames;
  readonly #members = new Set<LiveMember>();
  /** What was delivered while an earlier event is being executed, losses included. */
  readonly #waiting: (Delivery | "gap")[] = [];
  /** Members that did not get the event that told of a loss. */
  readonly #owedGap = new Set<LiveMember>();
  readonly #whenIdle: (() => void)[] = [];
  #sending = false;
  #executing = false;
  #gap = false;
  /** Where the last event that has been dealt with brought everybody. */
  #cursor: string | undefined;

  constructor(frames: SelectedFrames, request: FeedRequest, deps: LiveSelectionDeps) {
    this.#frames = frames;
    this.#request = request;
    this.#deps = deps;
  }

  /** How many subscribers there are. */
  get size(): number {
    return this.#members.size;
  }

  /** Those who get what is delivered now. */
  get members(): readonly LiveMember[] {
    return [...this.#members];
  }

  add(member: LiveMember): void {
    this.#members.add(member);
  }

  remove(member: LiveMember): void {
    this.#members.delete(member);
    this.#owedGap.delete(member);
  }

  /** Whether every event delivered so far has been dealt with. */
  get isIdle(): boolean {
    return !this.#sending && !this.#executing && this.#waiting.length === 0;
  }

  /**
   * Gives one member's place to another, if it still has it; it gets what is delivered
   * from then on. Waits until all that was delivered before has been dealt with: the old
   * one may have to leave some of it out. `onReplaced` is called then.
   */
  replace(old: LiveMember, member: LiveMember, onReplaced: () => void): void {
    if (!this.isIdle) return void this.#whenIdle.push(() => this.replace(old, member, onReplaced));
    if (!this.#members.delete(old)) return;
    this.#members.add(member);
    // What has not been said to the one is said to the other.
    if (this.#owedGap.delete(old)) this.#owedGap.add(member);
    onReplaced();
  }

  gap(): void {
    if (this.#executing) this.#waiting.push("gap");
    else this.#noteGap();
  }

  /** Tells every member of this phase where it is, or what it has lost. */
  tellMoved(phase: number): void {
    for (const member of this.#members) {
      if ((member.phase ?? 0) !== phase) continue;
      if (this.#gap || this.#owedGap.has(member)) member.notice({ gap: true });
      else if (this.#cursor !== undefined) member.moved(this.#cursor);
    }
  }

  deliver(delivery: Delivery): void {
    const accepted = this.#request.accepts(delivery.publication);
    if (!accepted && !this.#executing) return this.#movedTo(delivery);
    // Passed over while earlier ones are under way: the next one sent moves past it.
    if (!accepted) return;
    if (this.#executing) {
      if (this.#waiting.push(delivery) > MAX_WAITING) this.#giveUp();
      return;
    }
    this.#execute(delivery);
  }

  /**
   * The frame of an event that this viewer missed, or undefined when it is none the
   * viewer would have got.
   */
  async missed(delivery: Delivery, viewer: Caller): Promise<LiveFrame | undefined> {
    const { publication } = delivery;
    if (!this.#request.accepts(publication) || isExcluded(publication.event, viewer)) return undefined;
    return await this.#frames.missed(delivery, viewer);
  }

  #execute(delivery: Delivery): void {
    let done: Promise<void> | undefined;
    try {
      done = this.#frames.differ ? this.#sendPerViewer(delivery) : this.#sendShared(delivery);
    } catch (error) {
      this.#lose(error);
    }
    if (done === undefined) return this.#movedTo(delivery);
    this.#executing = true;
    done.catch((error: unknown) => this.#lose(error)).then(() => {
      this.#executing = false;
      this.#movedTo(delivery);
      // What executes at once leaves the way free for the next.
      while (!this.#executing && this.#waiting.length > 0) {
        const next = this.#waiting.shift()!;
        if (next === "gap") this.#noteGap();
        else this.#execute(next);
      }
    });
  }

  #movedTo({ cursor }: Delivery): void {
    this.#cursor = cursor;
    this.#deps.onMoved(this);
    if (this.isIdle) { for (const step of this.#whenIdle.splice(0)) step(); }
  }

  /** Returns a promise only when a resolver did. */
  #sendShared(delivery: Delivery): Promise<void> | undefined {
    const send = (frame: LiveFrame | undefined): Promise<void> | undefined => {
      if (frame === undefined) return this.#sendPerViewer(delivery);
      this.#send(frame, delivery, { members: this.#members, gap: this.#takeGap() });
    };
    const frame = this.#frames.forAll(delivery);
    return frame instanceof Promise ? frame.then(send) : send(frame);
  }

  async #sendPerViewer(delivery: Delivery): Promise<void> {
    const byViewer = new Map<Caller, LiveMember[]>();
    for (const member of this.#members) {
      const together = byViewer.get(member.viewer);
      if (together === undefined) byViewer.set(member.viewer, [member]);
      else together.push(member);
    }
    const gap = this.#takeGap();
    await inTurns(byViewer, async ([viewer, all]) => {
      const here = (): LiveMember[] => all.filter((member) => this.#members.has(member));
      if (here().length === 0) return;
      try {
        const frame = await this.#frames.forViewer(delivery, viewer);
        this.#send(frame, delivery, { members: here(), gap });
      } catch (error) {
        // It is lost for this viewer, and for nobody else.
        this.#deps.mask(error);
        for (const member of here()) this.#owedGap.add(member);
        this.#deps.onMoved(this);
      }
    });
  }

  #noteGap(): void {
    this.#gap = true;
    this.#deps.onMoved(this);
  }

  #takeGap(): boolean {
    const gap = this.#gap;
    this.#gap = false;
    return gap;
  }

  #send(shared: LiveFrame, delivery: Delivery, { members, gap }: Audience): void {
    const frame = gap ? shared.with({ gap: true }) : shared;
    const { event } = delivery.publication;
    const excludes = event.kind === "message" && event.excludedSessionId !== null;
    this.#sending = true;
    for (const member of members) {
      if (excludes && isExcluded(event, member.viewer)) {
        if (gap) this.#owedGap.add(member);
      } else {
        const owed = this.#owedGap.size > 0 && this.#owedGap.delete(member);
        member.next(owed && !gap ? shared.with({ gap: true }) : frame, delivery);
      }
    }
    this.#sending = false;
  }

  /** An event whose result cannot be made is lost, and the next frame says so. */
  #lose(error: unknown): void {
    this.#deps.mask(error);
    this.#noteGap();
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

/** Who gets a frame. */
interface Audience {
  readonly members: Iterable<LiveMember>;
  /** Whether something was lost before it. */
  readonly gap: boolean;
}

/** Whether the sender kept this from the viewer's session, which user and id name together. */
function isExcluded(event: FeedEvent, { sessionId, principal }: Caller): boolean {
  return event.kind === "message" && event.excludedSessionId === sessionId && event.senderId === principal.userId;
}
