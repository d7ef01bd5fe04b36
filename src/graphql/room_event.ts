import { type LeaveReason, timestampMs } from "../core/event.ts";
import type { Delivery } from "../core/delivery.ts";
import type { RoomName } from "../core/room_name.ts";
import { MAX_SNAPSHOT_MEMBERS, type RoomEventKind } from "../core/feed_request.ts";
import { roomOf } from "../core/stream.ts";
import type { Builder } from "./builder.ts";
import type { MemberRef, MemberSource } from "./member.ts";
import { atMost } from "./page_size.ts";

/** What all events of a room have. */
export interface RoomEventBase {
  readonly type: RoomEventKind;
  readonly room: RoomName;
  readonly userId: string | null;
  readonly timestampMs: number;
  readonly cursor: string;
}

/** The source of `UserJoined`. */
export interface UserJoinedSource extends RoomEventBase {
  readonly type: "JOINED";
  readonly member: MemberSource;
}

/** The source of `UserLeft`. */
export interface UserLeftSource extends RoomEventBase {
  readonly type: "LEFT";
  readonly reason: LeaveReason;
}

/** The source of `MemberUpdated`. */
export interface MemberUpdatedSource extends RoomEventBase {
  readonly type: "UPDATED";
  readonly member: MemberSource;
}

/** The source of `RoomSnapshot`. */
export interface RoomSnapshotSource extends RoomEventBase {
  readonly type: "SNAPSHOT";
  readonly members: readonly MemberSource[];
  readonly memberCount: number;
  readonly recovered: boolean;
}

/** The source of any `RoomEvent`. */
export type RoomEventSource = UserJoinedSource | UserLeftSource | MemberUpdatedSource | RoomSnapshotSource;

/** The interface `RoomEvent` and the enum of its types. */
export type RoomEventRefs = ReturnType<typeof addRoomEvent>;

/** Adds `RoomEvent`, what implements it, and their enums. */
export function addRoomEvent(builder: Builder, member: MemberRef) {
  const type = addRoomEventType(builder);
  const event = builder.interfaceRef<RoomEventBase>("RoomEvent").implement({
    description: "Something that happened to a room's membership. `{ type userId room }` can be selected without a " +
      "fragment.",
    resolveType: ({ type }) => TYPE_NAMES[type],
    fields: (t) => ({
      type: t.field({ type, description: "Which of the four it is.", resolve: (source) => source.type }),
      room: t.id({ description: "The room it happened in.", resolve: ({ room }) => room }),
      userId: t.id({
        nullable: true,
        description: "The user it is about; null on `RoomSnapshot` and nowhere else.",
        resolve: ({ userId }) => userId,
      }),
      timestamp: t.field({
        type: "DateTime",
        description: "When it happened, by the server's clock.",
        resolve: ({ timestampMs }) => new Date(timestampMs),
      }),
      cursor: t.field({
        type: "Cursor",
        description: "Where it stands among the room's events. It is no cursor of messages.",
        resolve: ({ cursor }) => cursor,
      }),
    }),
  });
  builder.objectRef<UserJoinedSource>("UserJoined").implement({
    description: "A user became a member. Once per user, however many tabs they open.",
    interfaces: [event],
    fields: (t) => ({
      member: t.field({ type: member, description: "The new member.", resolve: (source) => source.member }),
    }),
  });
  builder.objectRef<UserLeftSource>("UserLeft").implement({
    description: "A user is no longer a member: their last session left, or stayed away longer than the grace " +
      "(10 seconds by default).",
    interfaces: [event],
    fields: (t) => ({
      reason: t.field({
        type: addLeaveReason(builder),
        description: "Why the membership ended.",
        resolve: (source) => source.reason,
      }),
    }),
  });
  builder.objectRef<MemberUpdatedSource>("MemberUpdated").implement({
    description: "A member's state changed. Not kept in the history: after a reconnect the latest state comes, " +
      "not each step to it.",
    interfaces: [event],
    fields: (t) => ({
      member: t.field({
        type: member,
        description: "The member with the new state.",
        resolve: (source) => source.member,
      }),
    }),
  });
  builder.objectRef<RoomSnapshotSource>("RoomSnapshot").implement({
    description:
      "Everyone who is in the room. It comes first, or right after what `after` brings, and once more after " +
      "every resume and every loss: replace what you hold by it.",
    interfaces: [event],
    fields: (t) => ({
      members: t.field({
        type: [member],
        extensions: atMost(MAX_SNAPSHOT_MEMBERS),
        description: "The members, longest there first; at most 1,000.",
        resolve: (source) => source.members,
      }),
      memberCount: t.int({
        description: "How many members there are, also those beyond the 1,000.",
        resolve: (source) => source.memberCount,
      }),
      recovered: t.boolean({
        description: "False when joins or leaves between `after` and now could not be replayed.",
        resolve: (source) => source.recovered,
      }),
    }),
  });
  return { event, type };
}

/**
 * Takes a delivery for the event of a room it is.
 *
 * @throws {TypeError} when the feed delivered anything else, which would be a bug of
 * the feed's filter
 */
export function roomEventOf({ publication, cursor }: Delivery): RoomEventSource {
  const { event, position, stream, transient } = publication;
  const room = roomOf(stream);
  if (room === null || event.kind === "message") {
    throw new TypeError(`Cannot take a "${event.kind}" of "${stream}" for an event of a room`);
  }
  // What is not kept has the position of what came before it, but happens now.
  const base = { room, timestampMs: transient === true ? Date.now() : timestampMs(position), cursor };
  switch (event.kind) {
    case "joined": {
      const { userId, sessionCount, state } = event;
      const record = { userId, joinedAtMs: base.timestampMs, sessionCount, state, leasedUntilMs: null };
      return { ...base, type: "JOINED", userId, member: { room, record } };
    }
    case "left":
      return { ...base, type: "LEFT", userId: event.userId, reason: event.reason };
    case "updated":
      return { ...base, type: "UPDATED", userId: event.member.userId, member: { room, record: event.member } };
    case "snapshot": {
      const { total: memberCount, recovered } = event;
      const members = event.members.map((record) => ({ room, record }));
      return { ...base, type: "SNAPSHOT", userId: null, members, memberCount, recovered };
    }
  }
}

const TYPE_NAMES: Readonly<Record<RoomEventKind, string>> = {
  JOINED: "UserJoined",
  LEFT: "UserLeft",
  UPDATED: "MemberUpdated",
  SNAPSHOT: "RoomSnapshot",
};

function addRoomEventType(builder: Builder) {
  return builder.enumType("RoomEventType", {
    description: "What can happen to a room's membership, and what `roomEvents` can be asked for.",
    values: {
      JOINED: { description: "`UserJoined`." },
      LEFT: { description: "`UserLeft`." },
      UPDATED: { description: "`MemberUpdated`." },
      SNAPSHOT: { description: "`RoomSnapshot`: the whole list of members." },
    },
  });
}

function addLeaveReason(builder: Builder) {
  return builder.enumType("LeaveReason", {
    description: "Why a membership ended.",
    values: {
      LEFT: { description: "The user said so, with `leaveRoom` or by completing a joining subscription." },
      DISCONNECTED: { description: "The last connection closed or broke, and nobody came back within the grace." },
      TIMEOUT: { description: "The client, its lease or its node fell silent." },
      REMOVED: { description: "A moderator removed the user." },
    },
  });
}
