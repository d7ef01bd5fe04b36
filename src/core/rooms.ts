import type { Authorize } from "./auth.ts";
import { type Caller, parseUserId } from "./caller.ts";
import { formatCursor } from "./cursor.ts";
import type { Engine, RoomPage, RoomRange } from "./engine.ts";
import type { MemberPage, MemberRange, MemberRecord } from "./presence.ts";
import { RealtimeError } from "./errors.ts";
import { messagesFeed } from "./feed.ts";
import {
  actionsOf,
  type EventsRequest,
  type FeedRequest,
  type MessagesRequest,
  openEvents,
  openMessages,
} from "./feed_request.ts";
import { FeedFollower } from "./feed_follower.ts";
import type { FollowEnd } from "./follow_membership.ts";
import type { GuardedAuthenticator } from "./guarded_authenticator.ts";
import { Gate } from "./gate.ts";
import { type HistoryPage, type HistoryRange, readHistory } from "./history.ts";
import type { Hub } from "./hub.ts";
import type { Leases } from "./leases.ts";
import { encodeState, type MemberStates, type StateOwner } from "./member_states.ts";
import type { Leaving, Memberships } from "./memberships.ts";
import { type MessageRequest, sendMessage, type SendMessageDeps, type SentMessage } from "./messages.ts";
import type { Position } from "./position.ts";
import type { NodeStatus } from "./node_status.ts";
import { PublishTurns } from "./publish_turns.ts";
import type { MessageRates } from "./message_rates.ts";
import { parseReason } from "./reason.ts";
import { Reauthorization, type Reauthorized } from "./reauthorization.ts";
import { parseRoomName, type RoomName } from "./room_name.ts";
import type { Session, Sessions } from "./sessions.ts";
import { EVERYONE, messagesOf } from "./stream.ts";
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

/** Whom to remove, from where and why. */
export interface Removal {
  readonly room: string;
  readonly userId: string;
  readonly reason: string | null;
}

/** A member and its room. */
export interface MemberOfRoom {
  readonly room: RoomName;
  readonly member: MemberRecord;
}

/** What ends somebody's following a feed. */
export type Unfollow = (end: FollowEnd) => void;

/** What the rooms need. */
export interface RoomsDeps {
  readonly engine: Engine;
  readonly hub: Hub;
  readonly memberships: Memberships;
  readonly states: MemberStates;
  readonly leases: Leases;
  readonly sessions: Sessions;
  readonly authenticator: GuardedAuthenticator;
  readonly authorize: Authorize;
  readonly telemetry: Telemetry;
  readonly maxMessageBytes: number;
  /** Counts what callers change. Absent: nothing is counted. */
  readonly rates?: MessageRates | undefined;
  /** The same for those who become members by subscribing. */
  readonly joinRates?: MessageRates | undefined;
  readonly nodeStatus: () => NodeStatus;
}

/** Rooms looked at in one go for one that may be shown. */
const MAX_LOOKED_AT = 1_000;
/** Characters of a message that cost as much to hand on as another selection of it. */
const COSTLY_LENGTH = 16_384;

/**
 * Everything a caller can do: parse, authorize, act.
 *
 * Nothing happens before authorization (G10); what cannot be seen and what does not
 * exist get the same answer. Every method throws {@linkcode RealtimeError}:
 * `BAD_USER_INPUT` for input, `FORBIDDEN` for rights, `RATE_LIMITED` for changes that come
 * too fast, the engine's codes for faults.
 */
export class Rooms {
  readonly #deps: RoomsDeps;
  readonly #gate: Gate;
  readonly #turns = new PublishTurns();
  /** Subscriptions that can hold no membership. */
  readonly #loose = new Set<FeedFollower>();
  readonly #everyonePosition: () => Position;
  readonly #sending: SendMessageDeps;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    this.#gate = new Gate(deps);
    this.#everyonePosition = () => deps.hub.everyonePosition;
    const { engine: { log }, maxMessageBytes } = deps;
    this.#sending = { log, everyonePosition: this.#everyonePosition, maxMessageBytes };
  }

  /** Sends a message to a room. The sender need not be a member. */
  async send(caller: Caller, input: MessageInput): Promise<SentMessage> {
    const room = parseRoomName(input.room);
    // Nothing is awaited that is there already: this is the way of every message.
    const allowed = this.#gate.require(caller, { kind: "send", room });
    if (allowed !== undefined) await allowed;
    const charged = this.#charge(caller);
    if (charged !== undefined) await charged;
    return await this.#publish(caller, { ...input, room }, this.#deps.rates?.now());
  }

  /** Sends an application's event to a room or to everyone. */
  async broadcast(caller: Caller, input: BroadcastInput): Promise<SentMessage> {
    const room = input.room === null ? null : parseRoomName(input.room);
    await this.#gate.require(caller, { kind: "broadcast", room });
    await this.#charge(caller);
    return await this.#publish(caller, { ...input, room }, this.#deps.rates?.now());
  }

  /** The same for the program itself, which is not counted. */
  async announce(caller: Caller, input: BroadcastInput): Promise<SentMessage> {
    const room = input.room === null ? null : parseRoomName(input.room);
    await this.#gate.require(caller, { kind: "broadcast", room });
    return await this.#publish(caller, { ...input, room });
  }

  /**
   * Makes the caller's user a member, held by the caller's session; by a lease when it has no connection.
   *
   * A state is set as in {@linkcode setState}.
   */
  async join(caller: Caller, roomName: string, state: unknown): Promise<JoinedRoom> {
    const { memberships, leases, states } = this.#deps;
    const room = parseRoomName(roomName);
    const json = state === null ? null : encodeState(state);
    const { generation } = this.#gate;
    await this.#gate.require(caller, { kind: "join", room });
    await this.#charge(caller);
    const joining = caller.session === undefined
      ? leases.take(caller, room, json)
      : memberships.join(caller.session, room, json);
    const isOutdated = generation !== this.#gate.generation;
    const { first, member } = await joining;
    if (isOutdated) await this.#confirmJoin(caller, room);
    const isSet = first || json === null;
    const joined = isSet ? member : await states.set(room, stateOwner(caller), json);
    return { room, member: joined, cursor: await this.#head(room) };
  }

  /** Joins again, in the background, what the caller's session had joined: it is continued. */
  rejoin(caller: Caller, rooms: readonly RoomName[]): void {
    const { memberships, telemetry } = this.#deps;
    const { session, principal: { userId } } = caller;
    if (session === undefined) return;
    for (const room of rooms) {
      const joinAgain = async (): Promise<void> => {
        const { generation } = this.#gate;
        const isAllowed = await this.#gate.allows(caller, { kind: "join", room });
        // It may have left since its receipt was written, or since it was asked for.
        if (!isAllowed || !memberships.mayRejoin(session, room)) return memberships.forget(session, room);
        const joining = memberships.join(session, room);
        const isOutdated = generation !== this.#gate.generation;
        await joining;
        if (isOutdated) await this.#confirmJoin(caller, room);
      };
      joinAgain().catch((error: unknown) => {
        telemetry.record("warn", "membership.failed", { room, userId, error: describeError(error) });
      });
    }
  }

  /** Forgets what a session has joined: another one goes on in its place. */
  handOver(session: Session): void {
    this.#deps.memberships.ended(session);
  }

  /** Ends what the caller's session holds of the membership; without a session all the user holds here. */
  async leave(caller: Caller, roomName: string): Promise<LeftRoom> {
    const room = parseRoomName(roomName);
    const { sessionId, session, namesSession } = caller;
    await this.#charge(caller);
    const own: Leaving = { sessions: session === undefined ? [] : [session], sessionId };
    const leaving: Leaving = namesSession ? own : { sessions: "all", sessionId: null };
    const wasMember = await this.#deps.memberships.leave(caller.principal.userId, leaving, room);
    return { room, wasMember };
  }

  /** Sets the caller's state in a room. `NOT_FOUND` when its user is no member. */
  async setState(caller: Caller, roomName: string, state: unknown): Promise<MemberOfRoom> {
    const room = parseRoomName(roomName);
    const json = encodeState(state);
    await this.#gate.require(caller, { kind: "join", room });
    await this.#charge(caller);
    return { room, member: await this.#deps.states.set(room, stateOwner(caller), json) };
  }

  /** Ends a user's membership of a room, and what the user follows of it. */
  async remove(caller: Caller, { room: roomName, ...asked }: Removal): Promise<LeftRoom> {
    const room = parseRoomName(roomName);
    const userId = parseUserId(asked.userId);
    const reason = parseReason(asked.reason);
    await this.#gate.require(caller, { kind: "moderate", room });
    await this.#charge(caller);
    const wasMember = await this.#deps.memberships.remove(room, userId, reason);
    this.#deps.telemetry.record("info", "member.removed", { room, userId, reason, by: caller.principal.userId });
    return { room, wasMember };
  }

  /** Closes every connection of a user. Whether there was one. */
  async disconnect(caller: Caller, asked: { readonly userId: string; readonly reason: string | null }) {
    const userId = parseUserId(asked.userId);
    const reason = parseReason(asked.reason);
    await this.#gate.require(caller, { kind: "admin" });
    await this.#charge(caller);
    const wasConnected = this.#deps.sessions.disconnect(userId, reason ?? "disconnected by an administrator");
    this.#deps.telemetry.record("info", "user.disconnected", { userId, reason, by: caller.principal.userId });
    return { wasConnected };
  }

  /** Lets the caller's open connections go on with a new token of the same user. When that one ends. */
  async refreshToken(caller: Caller, token: string): Promise<{ readonly expiresAtMs: number | null }> {
    const { authenticator, sessions } = this.#deps;
    if (!authenticator.needsToken) {
      throw new RealtimeError("BAD_USER_INPUT", "Cannot refresh a token: this server asks for none");
    }
    await this.#charge(caller);
    const credentials = { token, claimedUserId: null, guestSecret: null };
    const principal = await authenticator.authenticate(credentials, caller.address);
    if (principal.userId !== caller.principal.userId) {
      throw new RealtimeError("UNAUTHENTICATED", "Cannot refresh with this token: must be one of the same user");
    }
    const { session } = caller;
    if (session === undefined || session.connections === 0) {
      throw new RealtimeError(
        "BAD_USER_INPUT",
        "Cannot refresh the token of no connection: send it over the WebSocket, or name the session with x-session-id",
      );
    }
    sessions.refresh(session, { from: caller.principal, to: principal });
    // What the new token does not allow ends with the old one.
    await this.reauthorize({ userId: principal.userId, session });
    return { expiresAtMs: principal.expiresAtMs };
  }

  /**
   * Lets a subscription hold the membership of its user, as long as it runs.
   *
   * `end` is called when it may not go on, because its user is removed from the room or
   * its right is gone; it is to end the subscription, and may be called before this resolves.
   *
   * Who becomes a member by it is counted, apart from mutations: a client that comes back is to
   * get all it had, and is a member still.
   *
   * @throws {RealtimeError} `FORBIDDEN` when its right has gone since the request was opened, `RATE_LIMITED`
   */
  async follow(caller: Caller, request: FeedRequest, end: (error: RealtimeError) => void): Promise<Unfollow> {
    const { room } = request;
    const follower = new FeedFollower(caller, request, end);
    if (request.joins && room !== null && !this.#deps.memberships.isMember(room, caller.principal.userId)) {
      const charged = this.#deps.joinRates?.charge(caller);
      if (charged !== undefined) await charged;
    }
    const following = room === null || caller.session === undefined
      ? this.#followLoosely(follower)
      : this.#deps.memberships.follow(room, follower);
    // From here on it is asked for by name when rights change; until here they may have changed unseen.
    const isOutdated = request.generation !== this.#gate.generation;
    const unfollow = await following;
    if (!isOutdated) return unfollow;
    try {
      for (const action of actionsOf(request)) await this.#gate.require(caller, action);
    } catch (error) {
      unfollow("REMOVED");
      throw error;
    }
    return unfollow;
  }

  /**
   * Asks anew for every live subscription and every membership held on this node, of a
   * user, of one session or of everybody, and ends what is not allowed any more: the
   * subscription with `FORBIDDEN`, the membership with `REMOVED`.
   *
   * Where the authorizer answers at once, nothing is delivered any more from the call on;
   * else from when the promise resolves. Never rejects.
   */
  reauthorize(whose: Reauthorized): Promise<void> {
    this.#gate.renew();
    const { memberships, telemetry } = this.#deps;
    return new Reauthorization(whose, { gate: this.#gate, memberships, telemetry, loose: this.#loose }).run();
  }

  /** What `messages` follows. */
  openMessages(caller: Caller, request: MessagesRequest): Promise<FeedRequest> {
    return openMessages(this.#gate, caller, request);
  }

  /** What `roomEvents` follows. */
  openEvents(caller: Caller, request: EventsRequest): Promise<FeedRequest> {
    return openEvents(this.#gate, caller, request, (room, range) => this.members(room, range));
  }

  /** A page of a looked-at room's messages that are still kept, oldest first. */
  history(room: RoomName, range: HistoryRange): Promise<HistoryPage> {
    return readHistory(room, range, { log: this.#deps.engine.log, everyonePosition: this.#everyonePosition });
  }

  /** Checks that the caller may look at a room, and gives back its name. Every name is a room. */
  async look(caller: Caller, roomName: string): Promise<RoomName> {
    const room = parseRoomName(roomName);
    await this.#gate.require(caller, { kind: "read", room });
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
    return await this.#visible(caller, await this.#deps.engine.presence.roomsOf(caller.principal.userId));
  }

  /**
   * Rooms with a member or a kept message, sorted by name; for those who run the server,
   * and as far as they may look at them.
   */
  async list(caller: Caller, range: RoomRange): Promise<RoomPage> {
    await this.#gate.require(caller, { kind: "admin" });
    const { directory } = this.#deps.engine;
    const { limit } = range;
    let page = await directory.rooms({ ...range, limit: limit + 1 });
    const visible = await this.#visible(caller, page.rooms);
    // Neither the size of a page nor that there is another may tell of rooms that are not shown.
    while (visible.length <= limit && page.hasMore) {
      page = await directory.rooms({ ...range, after: page.rooms.at(-1)!, limit: MAX_LOOKED_AT });
      visible.push(...await this.#visible(caller, page.rooms));
    }
    return { rooms: visible.slice(0, limit), hasMore: visible.length > limit };
  }

  /** What this node sees of itself; for those who run it. */
  async nodeStatus(caller: Caller): Promise<NodeStatus> {
    await this.#gate.require(caller, { kind: "admin" });
    return this.#deps.nodeStatus();
  }

  /** Publishes at once what still waits for its turn: the node is about to close. */
  drain(): Promise<void> {
    return this.#turns.drain();
  }

  /** Counts one change of a caller who may make it; undefined when that was told at once. */
  #charge(caller: Caller): Promise<void> | undefined {
    return this.#deps.rates?.charge(caller);
  }

  async #visible(caller: Caller, rooms: readonly RoomName[]): Promise<RoomName[]> {
    const visible = await Promise.all(rooms.map((room) => this.#gate.allows(caller, { kind: "read", room })));
    return rooms.filter((_room, index) => visible[index]);
  }

  async #publish(caller: Caller, request: MessageRequest, chargedMs?: number): Promise<SentMessage> {
    const stream = request.room === null ? EVERYONE : messagesOf(request.room);
    const wait = this.#turns.enter(stream, this.#deps.hub.readersOf(stream) + request.content.length / COSTLY_LENGTH);
    if (wait !== undefined) await wait;
    const sent = await sendMessage(caller, request, this.#sending);
    // A client that sends again what was lost on its way has said nothing new.
    if (sent.duplicate && chargedMs !== undefined) this.#deps.rates?.refund(caller, chargedMs);
    return sent;
  }

  #followLoosely(follower: FeedFollower): Promise<Unfollow> {
    this.#loose.add(follower);
    return Promise.resolve(() => void this.#loose.delete(follower));
  }

  /** The right may have gone between its being asked for and the join: then the membership goes too. */
  async #confirmJoin(caller: Caller, room: RoomName): Promise<void> {
    try {
      await this.#gate.require(caller, { kind: "join", room });
    } catch (error) {
      const { principal: { userId }, session, sessionId } = caller;
      const sessions = session === undefined ? [] : [session];
      await this.#deps.memberships.leave(userId, { sessions, sessionId, reason: "REMOVED" }, room);
      throw error;
    }
  }

  async #head(room: RoomName): Promise<string> {
    const top = await this.#deps.engine.log.top(messagesOf(room));
    return formatCursor(messagesFeed(room), [top, this.#everyonePosition()]);
  }
}

function stateOwner({ principal: { userId }, session }: Caller): StateOwner {
  return { userId, session };
}
