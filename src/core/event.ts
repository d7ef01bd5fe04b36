import { formatPosition, type Position } from "./position.ts";
import type { StreamEntry } from "./engine.ts";
import type { MemberRecord } from "./presence.ts";
import type { Stream } from "./stream.ts";

/** Something that was said, to a room or to everyone. */
export interface MessageSent {
  readonly kind: "message";
  readonly senderId: string;
  readonly content: string;
  /** The application's own name for it, given to broadcast; null for a plain message. */
  readonly event: string | null;
  /** Any JSON value, as the sender gave it; null when there is none. */
  readonly data: unknown;
  readonly idempotencyKey: string | null;
  /** The session that must not get it, live or on replay; null: it goes to all. */
  readonly excludedSessionId: string | null;
}

/** A user became a member of the room. */
export interface MemberJoined {
  readonly kind: "joined";
  readonly userId: string;
  readonly sessionCount: number;
  /** The state it began with, as JSON; null when none. */
  readonly state: string | null;
}

/** A user is no longer a member of the room. */
export interface MemberLeft {
  readonly kind: "left";
  readonly userId: string;
  readonly reason: LeaveReason;
}

/** A member's state has changed. Never kept: after a reconnect the latest state counts, not each step to it. */
export interface MemberUpdated {
  readonly kind: "updated";
  readonly member: MemberRecord;
}

/** Everyone who is in the room, for one who begins to follow it. Of no stream: each reader has its own. */
export interface MembersTaken {
  readonly kind: "snapshot";
  readonly members: readonly MemberRecord[];
  /** How many there are, also those that are not listed. */
  readonly total: number;
  /** False when changes before it were missed. */
  readonly recovered: boolean;
}

/**
 * Why a membership ended: `LEFT` the user said so, `DISCONNECTED` the connection
 * closed or broke, `TIMEOUT` the peer, its lease or its node fell silent, `REMOVED`
 * somebody with the right to do so ended it.
 */
export type LeaveReason = "LEFT" | "DISCONNECTED" | "TIMEOUT" | "REMOVED";

/** What a stream's entry says. */
export type StreamEvent = MessageSent | MemberJoined | MemberLeft | MemberUpdated;

/** What a reader is told: an entry's event, or one made for it alone. */
export type FeedEvent = StreamEvent | MembersTaken;

/** An event with its place in a stream. */
export interface Publication<E extends FeedEvent = FeedEvent> {
  readonly stream: Stream;
  readonly position: Position;
  readonly event: E;
  /** Whether it is delivered without being kept; then it has the position of what came before it. */
  readonly transient?: true;
}

/** When it happened, in milliseconds since the Unix epoch. */
export function timestampMs(position: Position): number {
  return Math.floor(position.timeUs / 1000);
}

/** The id of a message: unique over all rooms, because each stream's epoch is random. */
export function messageId(position: Position): string {
  return formatPosition(position);
}

/** The layout of an entry: short names, and nothing written that says nothing. */
interface WrittenMessage {
  readonly s: string;
  readonly c: string;
  readonly e?: string;
  readonly d?: unknown;
  readonly k?: string;
  readonly x?: string;
}
interface WrittenJoined {
  readonly j: string;
  readonly n: number;
  readonly a?: string;
}
interface WrittenUpdated {
  readonly u: string;
  readonly n: number;
  /** When the member joined, in milliseconds since the Unix epoch. */
  readonly t: number;
  readonly a?: string;
}
interface WrittenLeft {
  readonly l: string;
  readonly r: LeaveReason;
}

/** Writes an event as the text of a stream entry. */
export function encodeEvent(event: StreamEvent): string {
  switch (event.kind) {
    case "message":
      return JSON.stringify(
        {
          s: event.senderId,
          c: event.content,
          ...(event.event === null ? {} : { e: event.event }),
          ...(event.data === null ? {} : { d: event.data }),
          ...(event.idempotencyKey === null ? {} : { k: event.idempotencyKey }),
          ...(event.excludedSessionId === null ? {} : { x: event.excludedSessionId }),
        } satisfies WrittenMessage,
      );
    case "joined":
      return JSON.stringify({ j: event.userId, n: event.sessionCount, ...written(event) } satisfies WrittenJoined);
    case "updated": {
      const { userId, sessionCount, joinedAtMs } = event.member;
      return JSON.stringify(
        { u: userId, n: sessionCount, t: joinedAtMs, ...written(event.member) } satisfies WrittenUpdated,
      );
    }
    case "left":
      return JSON.stringify({ l: event.userId, r: event.reason } satisfies WrittenLeft);
  }
}

function written({ state }: { readonly state: string | null }): { readonly a?: string } {
  return state === null ? {} : { a: state };
}

type Written = WrittenMessage | WrittenJoined | WrittenUpdated | WrittenLeft;

/** Reads what {@linkcode encodeEvent} wrote. */
export function decodeEntry(stream: Stream, { text, position, transient }: StreamEntry): Publication<StreamEvent> {
  const event = decodeEvent(JSON.parse(text));
  return transient === undefined ? { stream, position, event } : { stream, position, event, transient };
}

function decodeEvent(written: Written): StreamEvent {
  if ("s" in written) {
    return {
      kind: "message",
      senderId: written.s,
      content: written.c,
      event: written.e ?? null,
      data: written.d ?? null,
      idempotencyKey: written.k ?? null,
      excludedSessionId: written.x ?? null,
    };
  }
  if ("l" in written) return { kind: "left", userId: written.l, reason: written.r };
  const state = written.a ?? null;
  if ("j" in written) return { kind: "joined", userId: written.j, sessionCount: written.n, state };
  const { u: userId, n: sessionCount, t: joinedAtMs } = written;
  return { kind: "updated", member: { userId, sessionCount, joinedAtMs, state, leasedUntilMs: null } };
}
