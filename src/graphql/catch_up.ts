import type { GraphQLError } from "graphql";
import type { Backlog, BacklogPage } from "../core/backlog.ts";
import { formatCursor } from "../core/cursor.ts";
import type { Caller } from "../core/caller.ts";
import type { FeedPosition } from "../core/feed.ts";
import type { FeedRequest } from "../core/feed_request.ts";
import type { ResolvedStart } from "../core/feed_start.ts";
import type { Delivery } from "../core/delivery.ts";
import type { FrameNotice, LiveFrame } from "./live_frame.ts";
import type { LiveMember, LiveSelection } from "./live_selection.ts";

/** What catching up needs. */
export interface CatchUpDeps {
  readonly member: LiveMember;
  readonly selection: LiveSelection;
  readonly request: FeedRequest;
  /** Where the node's live delivery stands. */
  readonly livePosition: () => FeedPosition;
  readonly mask: (error: unknown) => GraphQLError;
  /** Called when the member has taken its own place. */
  readonly onDone: () => void;
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
  readonly phase: number;
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
  /** Whether anything was lost since it began. */
  #hasLost = false;
  /** Whether the members are still to be told; only a feed that was asked for with a snapshot tells them. */
  #owesSnapshot: boolean;

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
    this.viewer = deps.member.viewer;
    this.phase = deps.member.phase ?? 0;
    this.#owesSnapshot = deps.request.snapshot !== undefined;
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
    // What is not kept is in no history: only the members as they are then make up for it.
    this.#owesSnapshot = this.#deps.request.snapshot !== undefined;
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

  /** Something was lost among the live events of a feed that tells its members: they are told anew. */
  lose(): void {
    this.#noteLoss();
    this.#owesSnapshot = true;
    if (!this.#caughtUp) return;
    this.#caughtUp = false;
    this.#backlog!.extend(this.#deps.livePosition());
    void this.#read(this.#backlog!, true);
  }

  /** Ends it; the member gets nothing more from here. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  /** Reads and sends what was missed. Called once; never rejects. */
  async run(backlog: Backlog, { resumes, lost }: Pick<ResolvedStart, "resumes" | "lost">): Promise<void> {
    if (resumes) this.#recovered = true;
    if (lost) this.#noteLoss();
    this.#backlog = backlog;
    await this.#read(backlog, resumes || lost, resumes);
  }

  async #read(backlog: Backlog, hasMissed: boolean, resumes = false): Promise<void> {
    try {
      if (resumes && !await backlog.reachesBack()) this.#noteLoss();
      await this.#readAll(backlog, hasMissed);
    } catch (error) {
      if (!this.#stopped) this.fail([this.#deps.mask(error)]);
    }
  }

  async #readAll(backlog: Backlog, hasMissed: boolean): Promise<void> {
    while (!this.#stopped) {
      const page = await backlog.next();
      if (this.#stopped) return;
      if (page === undefined) {
        if (this.#owesSnapshot) await this.#sendSnapshot(backlog, hasMissed);
        await this.#sendBuffered(backlog);
        if (this.#stopped || this.#caughtUp) return;
        this.#overflowed = false;
        backlog.extend(this.#deps.livePosition());
        continue;
      }
      await this.#sendPage(page);
    }
  }

  async #sendPage({ gap, deliveries }: BacklogPage): Promise<void> {
    if (gap) this.#noteLoss();
    await this.#sendAll(deliveries);
    // Others have their turn: a page may be one of many, and of events that are not for this member.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * Tells the members as they are at one place of the feed: what was missed before it
   * comes before it, and what has been told by it does not come again.
   */
  async #sendSnapshot(backlog: Backlog, hasMissed: boolean): Promise<void> {
    const { request: { feed, snapshot } } = this.#deps;
    this.#owesSnapshot = false;
    // What waits and is not kept is older than what is taken now.
    this.#buffer = this.#buffer.filter(({ delivery }) => delivery.publication.transient === undefined);
    const { members, total, position } = await snapshot!();
    if (this.#stopped) return;
    if (hasMissed) {
      backlog.extend([position]);
      for (let page = await backlog.next(); page !== undefined; page = await backlog.next()) {
        if (this.#stopped) return;
        await this.#sendPage(page);
      }
      if (this.#stopped) return;
    }
    backlog.advance([position]);
    const event = { kind: "snapshot", members, total, recovered: !this.#hasLost } as const;
    const publication = { stream: feed.key, position, event, transient: true } as const;
    const at = backlog.position;
    await this.#sendAll([{ publication, position: at, cursor: formatCursor(feed, at) }]);
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
    const { member, request: { feed } } = this.#deps;
    for (;;) {
      for (let wait = member.busy(); wait !== undefined && !this.#stopped; wait = member.busy()) await wait;
      if (this.#stopped || this.#overflowed || this.#owesSnapshot) return;
      const next = this.#buffer.shift();
      if (next === undefined) break;
      this.#bufferedBytes -= next.frame.bytes.length;
      if (!this.#isKnown(next)) this.#send(next.frame, next.delivery);
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
    if (this.#isKnown({ frame, delivery })) return;
    this.#send(frame, delivery);
    this.#stepAside();
  }

  /** Whether the reader has this already, from history; then the next one says what it was to say. */
  #isKnown({ frame, delivery: { publication } }: Buffered): boolean {
    const { stream, position, transient } = publication;
    const index = this.#deps.request.feed.streams.indexOf(stream);
    const isKnown = transient === undefined && this.#backlog!.holds(index, position);
    if (isKnown && frame.notice?.gap === true) this.#noteLoss();
    return isKnown;
  }

  /** The member takes its own place once there is nothing to say or to leave out any more. */
  #stepAside(): void {
    if (this.#isAhead() || this.#notice() !== undefined) return;
    const { selection, member, onDone } = this.#deps;
    selection.replace(this, member, onDone);
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
    this.#hasLost = true;
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
