import type { Position } from "../../src/core/position.ts";
import { type KnownMember, listOf, type MemberList } from "./member_list.ts";

/** A subscription to `roomEvents`, with JOINED, LEFT and UPDATED at least. */
export interface RoomObserverOptions {
  /** Whether it asked for SNAPSHOT too. */
  readonly snapshot?: boolean;
  /** Whether an event that comes again over another connection is a fault too. */
  readonly exactlyOnce?: boolean;
  /** Whom it knows to be in when it begins; without it nobody can say, until a snapshot or the truth is told. */
  readonly members?: readonly KnownMember[];
}

/** What one observer of a room has heard, and made of it. */
export class RoomObserver {
  /** Undefined: nobody can say who is in. */
  list: MemberList | undefined;
  /** False when states may have changed while it was away: a JOINED that it missed tells an old one. */
  knowsStates = true;
  /** Undefined: anywhere. */
  position: Position | undefined;
  /** The snapshot that is to come: before everything else, or behind what was missed. */
  owes: "first" | "next" | undefined;
  /** From a resume to the next event: whether it was said that it is one. */
  isBack: "unsaid" | "said" | undefined;

  constructor(readonly name: string, readonly options: RoomObserverOptions) {
    this.list = options.members === undefined ? undefined : listOf(options.members);
    if (options.snapshot) this.owes = "first";
  }

  /** What it has heard so far is worth nothing any more. */
  lose(owes: "first" | "next"): void {
    this.list = undefined;
    this.position = undefined;
    this.isBack = undefined;
    if (this.options.snapshot) this.owes = owes;
  }
}
