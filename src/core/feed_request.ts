import type { Action } from "./auth.ts";
import type { Caller } from "./caller.ts";
import { RealtimeError } from "./errors.ts";
import type { FeedEvent, Publication } from "./event.ts";
import { eventsFeed, everyoneFeed, type Feed, type FeedStart, messagesFeed } from "./feed.ts";
import { parseStart } from "./feed_start.ts";
import type { Gate } from "./gate.ts";
import type { MemberPage, MemberRange } from "./presence.ts";
import { parseRoomName, type RoomName } from "./room_name.ts";

/** A feed somebody may follow, and which of its publications were asked for. */
export interface FeedRequest {
  readonly feed: Feed;
  /** The room it is of, whose membership following it holds; null when it is of none. */
  readonly room: RoomName | null;
  /** Whether following it makes its user a member. */
  readonly joins: boolean;
  /** What the gate's generation was when it was first asked. */
  readonly generation: number;
  /** Where to begin. */
  readonly start: FeedStart;
  /** What `accepts` goes by, as text: two requests of one feed that have the same accept the same. */
  readonly filter: string;
  /** Whether a publication is one that was asked for. Pure: the same for everybody who asks the same. */
  accepts(publication: Publication): boolean;
  /** The members, for a subscriber that begins or has lost something; undefined when they were not asked for. */
  readonly snapshot?: () => Promise<MemberPage>;
}

/** What `messages` was asked for. */
export interface MessagesRequest {
  /** Null: only what goes to everyone. */
  readonly room: string | null;
  /** Only messages with this event name; null: all. */
  readonly event: string | null;
  /** Begin behind this cursor. Not together with `last`. */
  readonly after: string | null;
  /** Begin with the newest so many. */
  readonly last: number | null;
  /** Be a member of the room for as long as it is followed. */
  readonly join: boolean;
}

/** What `roomEvents` was asked for. */
export interface EventsRequest {
  readonly room: string;
  readonly kinds: readonly RoomEventKind[];
  /** Begin behind this cursor. */
  readonly after: string | null;
}

/** The kinds of event `roomEvents` can be asked for. */
export type RoomEventKind = "JOINED" | "LEFT" | "UPDATED" | "SNAPSHOT";

/** What each kind is called inside. */
const EVENT_KINDS: Readonly<Record<RoomEventKind, FeedEvent["kind"]>> = {
  JOINED: "joined",
  LEFT: "left",
  UPDATED: "updated",
  SNAPSHOT: "snapshot",
};
/** The most members one snapshot lists. */
export const MAX_SNAPSHOT_MEMBERS = 1_000;

/** What somebody must be allowed to follow this. */
export function actionsOf({ room, joins }: Pick<FeedRequest, "room" | "joins">): readonly Action[] {
  if (room === null) return [{ kind: "readEveryone" }];
  const read = { kind: "read", room } as const;
  return joins ? [read, { kind: "join", room }] : [read];
}

/**
 * Opens what `messages` follows: a room's messages and those to everyone, or the latter alone.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`, `FORBIDDEN`
 */
export async function openMessages(gate: Gate, caller: Caller, request: MessagesRequest): Promise<FeedRequest> {
  const room = request.room === null ? null : parseRoomName(request.room);
  const feed = room === null ? everyoneFeed() : messagesFeed(room);
  const start = parseStart(feed, request);
  if (room === null && request.join) {
    throw new RealtimeError("BAD_USER_INPUT", "Cannot join without a room: name the room to be a member of");
  }
  const { generation } = gate;
  for (const action of actionsOf({ room, joins: request.join })) await gate.require(caller, action);
  const { event: wanted } = request;
  return {
    feed,
    room,
    joins: request.join,
    generation,
    start,
    filter: JSON.stringify(wanted),
    accepts: ({ event }) => event.kind === "message" && (wanted === null || event.event === wanted),
  };
}

/**
 * Opens what `roomEvents` follows.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`, `FORBIDDEN`
 */
export async function openEvents(
  gate: Gate,
  caller: Caller,
  request: EventsRequest,
  members: (room: RoomName, range: MemberRange) => Promise<MemberPage>,
): Promise<FeedRequest> {
  const room = parseRoomName(request.room);
  const { kinds } = request;
  if (kinds.length === 0) {
    throw new RealtimeError("BAD_USER_INPUT", "Cannot subscribe to no types of events: name at least one");
  }
  const feed = eventsFeed(room);
  const start = parseStart(feed, { after: request.after, last: null });
  const { generation } = gate;
  for (const action of actionsOf({ room, joins: false })) await gate.require(caller, action);
  const wanted = new Set(kinds.map((kind) => EVENT_KINDS[kind]));
  return {
    feed,
    room,
    joins: false,
    generation,
    start,
    filter: [...wanted].toSorted().join(),
    accepts: ({ event }) => wanted.has(event.kind),
    ...(wanted.has("snapshot") ? { snapshot: () => members(room, { limit: MAX_SNAPSHOT_MEMBERS }) } : {}),
  };
}
