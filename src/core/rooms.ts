import type { Action, Authorize } from "./auth.ts";
import type { Caller } from "./caller.ts";
import { formatCursor } from "./cursor.ts";
import type { Engine, MemberPage, MemberRange, MemberRecord } from "./engine.ts";
import { notImplemented, RealtimeError } from "./errors.ts";
import type { Publication } from "./event.ts";
import { eventsFeed, everyoneFeed, type Feed, type FeedStart, messagesFeed } from "./feed.ts";
import { parseStart } from "./feed_start.ts";
import { type HistoryPage, type HistoryRange, readHistory } from "./history.ts";
import type { Hub } from "./hub.ts";
import type { Memberships } from "./memberships.ts";
import { type MessageRequest, sendMessage, type SentMessage } from "./messages.ts";
import type { Position } from "./position.ts";
import { parseRoomName, type RoomName } from "./room_name.ts";
import { messagesOf } from "./stream.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** A message request whose room nobody has looked at yet. */
export interface MessageInput extends Omit<MessageRequest, "room"> {
  readonly room: string;
}

/** The same for a broadcast; without a room it goes to everyone. */
export interface BroadcastInput extends Omit<MessageRequest, "room"> {
  readonly room: string | null;
}

/** The answer to a join. */
export interface JoinedRoom {
  readonly room: RoomName;
  readonly member: MemberRecord;
  /** Where the room's messages stood when the user was in. */
  readonly cursor: string;
}

/** The answer to a leave. */
export interface LeftRoom {
  readonly room: RoomName;
  /** False when the user was not in the room. */
  readonly wasMember: boolean;
}

/** A feed somebody may follow, and which of its publications were asked for. */
export interface FeedRequest {
  readonly feed: Feed;
  /** Where to begin. */
  readonly start: FeedStart;
  /** Whether a publication is one that was asked for. Pure: the same for everybody who asks the same. */
  accepts(publication: Publication): boolean;
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

/** What one node sees of itself. */
export interface NodeStatus {
  readonly nodeId: string;
  readonly version: string;
  readonly engineName: string;
  readonly startedAtMs: number;
  readonly connections: number;
  readonly subscriptions: number;
  readonly rooms: number;
}

/** What the rooms need. */
export interface RoomsDeps {
  readonly engine: Engine;
  readonly hub: Hub;
  readonly memberships: Memberships;
  readonly authorize: Authorize;
  readonly telemetry: Telemetry;
  readonly maxMessageBytes: number;
  readonly nodeStatus: () => NodeStatus;
}

/**
 * Everything a caller can do: parse, authorize, act.
 *
 * Nothing happens before authorization (G10); what cannot be seen and what does not
 * exist get the same answer. Every method throws {@linkcode RealtimeError}:
 * `BAD_USER_INPUT` for input, `FORBIDDEN` for rights, the engine's codes for faults.
 */
export class Rooms {
  readonly #deps: RoomsDeps;
  readonly #everyonePosition: () => Position;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    this.#everyonePosition = () => deps.hub.everyonePosition;
  }

  /** Sends a message to a room. The sender need not be a member. */
  async send(caller: Caller, input: MessageInput): Promise<SentMessage> {
    const room = parseRoomName(input.room);
    await this.#require(caller, { kind: "send", room });
    return await this.#publish(caller, { ...input, room });
  }

  /** Sends an application's event to a room or to everyone. */
  async broadcast(caller: Caller, input: BroadcastInput): Promise<SentMessage> {
    const room = input.room === null ? null : parseRoomName(input.room);
    await this.#require(caller, { kind: "broadcast" });
    return await this.#publish(caller, { ...input, room });
  }

  /** Makes the caller's user a member, held by the caller's session. */
  async join(caller: Caller, roomName: string): Promise<JoinedRoom> {
    const room = parseRoomName(roomName);
    await this.#require(caller, { kind: "join", room });
    if (caller.session === undefined) {
      throw notImplemented("joinRoom over HTTP, unless x-session-id names a session that has a connection");
    }
    const member = await this.#deps.memberships.join(caller.session, room);
    return { room, member, cursor: await this.#head(room) };
  }

  /** Ends what the caller's session holds of the membership; without a session all the user holds here. */
  async leave(caller: Caller, roomName: string): Promise<LeftRoom> {
    const room = parseRoomName(roomName);
    const named = caller.session === undefined ? [] : [caller.session];
    const sessions = caller.namesSession ? named : "all";
    const wasMember = await this.#deps.memberships.leave(caller.principal.userId, sessions, room);
    return { room, wasMember };
  }

  /** What `messages` follows: a room's messages and those to everyone, or the latter alone. */
  async openMessages(caller: Caller, request: MessagesRequest): Promise<FeedRequest> {
    const room = request.room === null ? null : parseRoomName(request.room);
    const feed = room === null ? everyoneFeed() : messagesFeed(room);
    const start = parseStart(feed, request);
    await this.#require(caller, room === null ? { kind: "readEveryone" } : { kind: "read", room });
    const { event: wanted } = request;
    return {
      feed,
      start,
      accepts: ({ event }) => event.kind === "message" && (wanted === null || event.event === wanted),
    };
  }

  /** What `roomEvents` follows. */
  async openEvents(caller: Caller, request: EventsRequest): Promise<FeedRequest> {
    const room = parseRoomName(request.room);
    const { kinds } = request;
    if (kinds.length === 0) {
      throw new RealtimeError("BAD_USER_INPUT", "Cannot subscribe to no types of events: name at least one");
    }
    const feed = eventsFeed(room);
    const start = parseStart(feed, { after: request.after, last: null });
    await this.#require(caller, { kind: "read", room });
    if (kinds.includes("SNAPSHOT")) throw notImplemented("roomEvents with SNAPSHOT");
    const joined = kinds.includes("JOINED");
    const left = kinds.includes("LEFT");
    return {
      feed,
      start,
      accepts: ({ event }) => event.kind === "joined" ? joined : event.kind === "left" && left,
    };
  }

  /** A page of a looked-at room's messages that are still kept, oldest first. */
  history(room: RoomName, range: HistoryRange): Promise<HistoryPage> {
    return readHistory(room, range, { log: this.#deps.engine.log, everyonePosition: this.#everyonePosition });
  }

  /** Checks that the caller may look at a room, and gives back its name. Every name is a room. */
  async look(caller: Caller, roomName: string): Promise<RoomName> {
    const room = parseRoomName(roomName);
    await this.#require(caller, { kind: "read", room });
    return room;
  }

  /** Where a room's messages stand. The room has been looked at. */
  head(room: RoomName): Promise<string> {
    return this.#head(room);
  }

  /** The members of a room that has been looked at. */
  members(room: RoomName, range: MemberRange): Promise<MemberPage> {
    return this.#deps.engine.presence.members(room, range);
  }

  /** The rooms the caller's user is in, as far as the caller may look at them; sorted by name. */
  async roomsOf(caller: Caller): Promise<readonly RoomName[]> {
    const rooms = await this.#deps.engine.presence.roomsOf(caller.principal.userId);
    const visible = await Promise.all(rooms.map((room) => this.#allows(caller, { kind: "read", room })));
    return rooms.filter((_room, index) => visible[index]);
  }

  /** What this node sees of itself; for those who run it. */
  async nodeStatus(caller: Caller): Promise<NodeStatus> {
    await this.#require(caller, { kind: "admin" });
    return this.#deps.nodeStatus();
  }

  #publish(caller: Caller, request: MessageRequest): Promise<SentMessage> {
    return sendMessage(caller, request, {
      log: this.#deps.engine.log,
      everyonePosition: this.#everyonePosition,
      maxMessageBytes: this.#deps.maxMessageBytes,
    });
  }

  async #head(room: RoomName): Promise<string> {
    const top = await this.#deps.engine.log.top(messagesOf(room));
    return formatCursor(messagesFeed(room), [top, this.#everyonePosition()]);
  }

  async #require(caller: Caller, action: Action): Promise<void> {
    if (await this.#allows(caller, action)) return;
    throw new RealtimeError("FORBIDDEN", `Cannot ${describeAction(action)}: not allowed`);
  }

  async #allows(caller: Caller, action: Action): Promise<boolean> {
    try {
      return await this.#deps.authorize(caller.principal, action);
    } catch (error) {
      // An authorizer that fails has not said yes.
      this.#deps.telemetry.record("error", "authorize.failed", { action: action.kind, error: describeError(error) });
      return false;
    }
  }
}

function describeAction(action: Action): string {
  switch (action.kind) {
    case "read":
      return `read room "${action.room}"`;
    case "send":
      return `send to room "${action.room}"`;
    case "join":
      return `join room "${action.room}"`;
    case "readEveryone":
      return "read the messages to everyone";
    case "broadcast":
      return `broadcast without the scope "broadcast"`;
    case "moderate":
      return `moderate without the scope "moderate"`;
    case "admin":
      return `see this without the scope "admin"`;
  }
}
