import type { GraphQLError } from "graphql";
import type { Backlog } from "../core/backlog.ts";
import { formatCursor } from "../core/cursor.ts";
import type { Caller } from "../core/caller.ts";
import type { Feed, FeedPosition } from "../core/feed.ts";
import type { ResolvedStart } from "../core/feed_start.ts";
import type { Delivery } from "../core/delivery.ts";
import type { FrameNotice, LiveFrame } from "./live_frame.ts";
import type { LiveMember, LiveSelection } from "./live_selection.ts";

/** What catching up needs. */
export interface CatchUpDeps {
  readonly member: LiveMember;
  readonly selection: LiveSelection;
  readonly feed: Feed;
  /** Where the node's live delivery stands. */
  readonly livePosition: () => FeedPosition;
  readonly mask: (error: unknown) => GraphQLError;
}

/** Live events kept while the member catches up; beyond it they are read from history instead. */
const MAX_BUFFERED_EVENTS = 1_000;
const MAX_BUFFERED_BYTES = 262_144;

/**
 * Stands in for a member that has not got everything yet.
 *
 * Live events wait here while the missed ones are read, page by page, no faster than the
 * reader takes them; then those that waited, in the same way. When none is left the
 * member takes its place, without a step in between: nothing is missed, nothing comes
 * twice.
 */
export class CatchUp implements LiveMember {
  readonly viewer: Caller;
  readonly #deps: CatchUpDeps;
  /** Set when the reading begins. */
  #backlog: Backlog | undefined;
  #buffer: Buffered[] = [];
  #bufferedBytes = 0;
  #overflowed = false;
  /** From then on live events go through, until nothing is left to be done to them. */
  #caughtUp = false;
  #stopped = false;
  /** What the first frame of a resume is to say; undefined once it has, or when there is none. */
  #recovered: boolean | undefined;
  #gap = false;

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
    this.viewer = deps.member.viewer;
  }

  /** The member has been told of its place already. */
  begin(): void {}

  next(frame: LiveFrame, delivery: Delivery): void {
    if (this.#caughtUp) return this.#pass(frame, delivery);
    if (this.#overflowed) return;
    this.#bufferedBytes += frame.bytes.length;
    this.#buffer.push({ frame, delivery });
    if (this.#buffer.length <= MAX_BUFFERED_EVENTS && this.#bufferedBytes <= MAX_BUFFERED_BYTES) return;
    this.#overflowed = true;
    this.#clear();
  }

  fail(errors: readonly GraphQLError[]): void {
    this.stop();
    this.#deps.member.fail(errors);
  }

  moved(cursor: string): void {
    if (this.#caughtUp && !this.#isAhead() && !this.#owesNotice()) this.#deps.member.moved(cursor);
  }

  /** While live events wait, so does what was lost among them: the first of those says it. */
  notice(notice: FrameNotice): void {
    if (this.#caughtUp) this.#deps.member.notice(notice);
  }

  busy(): Promise<void> | undefined {
    return this.#deps.member.busy();
  }

  /** Ends it; the member gets nothing more from here. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  /** Reads and sends what was missed. Called once; never rejects. */
  async run(backlog: Backlog, { resumes, lost }: ResolvedStart): Promise<void> {
    if (resumes) this.#recovered = !lost;
    this.#backlog = backlog;
    try {
      if (resumes && !await backlog.reachesBack()) this.#recovered = false;
      await this.#readAll(backlog);
    } catch (error) {
      if (!this.#stopped) this.fail([this.#deps.mask(error)]);
    }
  }

  async #readAll(backlog: Backlog): Promise<void> {
    while (!this.#stopped) {
      const page = await backlog.next();
      if (this.#stopped) return;
      if (page === undefined) {
        await this.#sendBuffered(backlog);
        if (this.#stopped || !this.#overflowed) return;
        this.#overflowed = false;
        backlog.extend(this.#deps.livePosition());
        continue;
      }
      if (page.gap) this.#noteLoss();
      await this.#sendAll(page.deliveries);
    }
  }

  async #sendAll(deliveries: readonly Delivery[]): Promise<void> {
    const { selection, member } = this.#deps;
    for (const delivery of deliveries) {
      const frame = await selection.missed(delivery, this.viewer);
      if (frame === undefined) continue;
      // Not a function of its own: nothing may be awaited between the last look and the send,
      // or all that catch up on one connection would send at once.
      for (let wait = member.busy(); wait !== undefined && !this.#stopped; wait = member.busy()) await wait;
      if (this.#stopped) return;
      this.#send(frame, delivery);
    }
  }

  /** Sends the live events that waited; when none is left, those that come go through. */
  async #sendBuffered(backlog: Backlog): Promise<void> {
    const { member, feed } = this.#deps;
    for (;;) {
      for (let wait = member.busy(); wait !== undefined && !this.#stopped; wait = member.busy()) await wait;
      if (this.#stopped || this.#overflowed) return;
      const next = this.#buffer.shift();
      if (next === undefined) break;
      this.#bufferedBytes -= next.frame.bytes.length;
      if (!this.#isKnown(next.delivery)) this.#send(next.frame, next.delivery);
      backlog.advance(next.delivery.position);
    }
    // Nothing is awaited from the last look at the buffer to here.
    this.#caughtUp = true;
    const notice = this.#notice();
    if (notice !== undefined) member.notice(notice);
    if (!this.#owesNotice()) member.moved(formatCursor(feed, backlog.position));
    this.#stepAside();
  }

  #pass(frame: LiveFrame, delivery: Delivery): void {
    if (this.#isKnown(delivery)) return;
    this.#send(frame, delivery);
    this.#stepAside();
  }

  /** Whether the reader has this already, from history. */
  #isKnown({ publication: { stream, position } }: Delivery): boolean {
    return this.#backlog!.holds(this.#deps.feed.streams.indexOf(stream), position);
  }

  /** The member takes its own place once there is nothing to say or to leave out any more. */
  #stepAside(): void {
    const { selection, member } = this.#deps;
    if (!this.#isAhead() && this.#notice() === undefined) selection.replace(this, member);
  }

  /** Whether something was lost and not said: a client that moved past it would never hear. */
  #owesNotice(): boolean {
    return this.#recovered === false || this.#gap;
  }

  /** Whether the reader has more than this node: it lags behind the engine. */
  #isAhead(): boolean {
    const live = this.#deps.livePosition();
    return this.#backlog!.position.some(({ epoch, offset }, index) =>
      epoch === live[index]!.epoch && offset > live[index]!.offset
    );
  }

  #noteLoss(): void {
    // Before the first frame it is the resume that has lost; later it is a gap in between.
    if (this.#recovered === undefined) this.#gap = true;
    else this.#recovered = false;
  }

  #send(frame: LiveFrame, delivery: Delivery): void {
    const notice = this.#notice();
    this.#recovered = undefined;
    this.#gap = false;
    this.#deps.member.next(notice === undefined ? frame : frame.with(notice), delivery);
  }

  /** What the next frame is to say of what came before it. */
  #notice(): FrameNotice | undefined {
    if (this.#recovered === undefined && !this.#gap) return undefined;
    return {
      ...(this.#recovered === undefined ? {} : { recovered: this.#recovered }),
      ...(this.#gap ? { gap: true as const } : {}),
    };
  }

  #clear(): void {
    this.#buffer = [];
    this.#bufferedBytes = 0;
  }
}

interface Buffered {
  readonly frame: LiveFrame;
  readonly delivery: Delivery;
}
