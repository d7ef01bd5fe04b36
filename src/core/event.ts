import { formatPosition, type Position } from "./position.ts";
import type { StreamEntry } from "./engine.ts";
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
}

/** A user is no longer a member of the room. */
export interface MemberLeft {
  readonly kind: "left";
  readonly userId: string;
  readonly reason: LeaveReason;
}

/**
 * Why a membership ended: `LEFT` the user said so, `DISCONNECTED` the connection
 * closed or broke, `TIMEOUT` the peer, its lease or its node fell silent, `REMOVED`
 * somebody with the right to do so ended it.
 */
export type LeaveReason = "LEFT" | "DISCONNECTED" | "TIMEOUT" | "REMOVED";

/** What a stream's entry says. */
export type StreamEvent = MessageSent | MemberJoined | MemberLeft;

/** An event with its place in a stream. */
export interface Publication<E extends StreamEvent = StreamEvent> {
  readonly stream: Stream;
  readonly position: Position;
  readonly event: E;
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
      return JSON.stringify({ j: event.userId, n: event.sessionCount } satisfies WrittenJoined);
    case "left":
      return JSON.stringify({ l: event.userId, r: event.reason } satisfies WrittenLeft);
  }
}

/** Reads what {@linkcode encodeEvent} wrote. */
export function decodeEntry(stream: Stream, entry: StreamEntry): Publication {
  const written: WrittenMessage | WrittenJoined | WrittenLeft = JSON.parse(entry.text);
  return { stream, position: entry.position, event: decodeEvent(written) };
}

function decodeEvent(written: WrittenMessage | WrittenJoined | WrittenLeft): StreamEvent {
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
  if ("j" in written) return { kind: "joined", userId: written.j, sessionCount: written.n };
  return { kind: "left", userId: written.l, reason: written.r };
}
