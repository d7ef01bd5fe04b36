import { RealtimeError } from "../../src/core/errors.ts";
import { decodeEntry } from "../../src/core/event.ts";
import type { FollowEnd } from "../../src/core/follow_membership.ts";
import type { Follower } from "../../src/core/membership_holds.ts";
import type { Presence } from "../../src/core/presence.ts";
import { parseRoomName, type RoomName } from "../../src/core/room_name.ts";
import type { SessionConnection } from "../../src/core/sessions.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { describeEvent } from "./describe_event.ts";
import { eventLoopTurn } from "./event_loop.ts";
import { type ChooseFailure, createFailingPresence, type PresenceFailure } from "./failing_presence.ts";
import { createMembershipParts } from "./membership_parts.ts";
import { openMemoryWorld } from "./memory_world.ts";
import { peerOf } from "./peer_of.ts";
import { RecordingTelemetry } from "./recording_telemetry.ts";

/** The room the tests of memberships are in. */
export const lobby = parseRoomName("lobby");
/** How long after its last hold a membership ends in these tests. */
export const GRACE_MS = 10_000;

/** The call was not executed. */
export const unavailable = new RealtimeError("ENGINE_UNAVAILABLE", "Cannot reach the engine: down");
/** The call may have been executed. */
export const unknown = new RealtimeError("ENGINE_OUTCOME_UNKNOWN", "Cannot tell what the engine did: no answer");

/** A live subscription of a test. */
export interface TestFollower {
  /** Why the user was removed, one entry for each time. */
  readonly removed: (string | null)[];
  readonly unfollow: (end: FollowEnd) => void;
}

/** A subscription on the lobby that keeps its right. */
export function followerOf(follower: Pick<Follower, "session" | "joins" | "remove">): Follower {
  const { session: { userId }, joins, remove } = follower;
  return {
    get session() {
      return follower.session;
    },
    principal: peerOf(userId).principal!,
    room: lobby,
    joins,
    remove,
    end() {},
  };
}

/** What a test can choose. */
export interface MembershipWorldOptions {
  readonly leaveGraceMs?: number;
  readonly maxRoomsPerSession?: number;
  readonly maxLeasedRooms?: number;
  /** Asked before each call to the engine; `failNext` goes before it. */
  readonly chooseFailure?: ChooseFailure;
}

/** Sessions and memberships of ann, or of another user, over a memory engine; the room is the lobby. */
export async function openMembershipWorld(options: MembershipWorldOptions = {}) {
  const { leaveGraceMs = GRACE_MS, maxRoomsPerSession = 2, maxLeasedRooms = 2, chooseFailure = () => undefined } =
    options;
  const world = await openMemoryWorld();
  const [{ log, presence }] = world.nodes;
  const { clock } = world;
  const telemetry = new RecordingTelemetry();
  const failures: { readonly method: keyof Presence; readonly failure: PresenceFailure }[] = [];
  const failing = createFailingPresence(presence, (method) => {
    const at = failures.findIndex((one) => one.method === method);
    return at === -1 ? chooseFailure(method) : failures.splice(at, 1)[0]!.failure;
  });
  const parts = createMembershipParts({
    presence: failing,
    clock,
    telemetry,
    leaveGraceMs,
    maxRoomsPerSession,
    maxLeasedRooms,
  });
  const { memberships, sessions, leases } = parts;
  const heard: string[] = [];
  await log.subscribe(eventsOf(lobby), (entry) => {
    heard.push(describeEvent(decodeEntry(eventsOf(lobby), entry).event));
  });
  const timersBefore = clock.pending;

  return {
    ...parts,
    telemetry,
    clock,
    /** This node of the engine; its presence fails as chosen. */
    engine: { ...world.nodes[0], presence: failing },
    /** What a reader of the room's events hears, in words. */
    heard,
    /** Makes the next such call to the engine fail, without or after having been executed. */
    failNext(method: keyof Presence, error: Error, { afterwards = false } = {}): void {
      failures.push({ method, failure: { error, afterwards } });
    },
    connect: (sessionId: string, userId = "ann") => sessions.connect({ userId, sessionId }, peerOf(userId)),
    join: ({ session }: SessionConnection, state: string | null = null) => memberships.join(session, lobby, state),
    leave: ({ session }: SessionConnection) =>
      memberships.leave(session.userId, { sessions: [session], sessionId: session.id }, lobby),
    /** As over HTTP by a session without a connection. */
    leaveByLease: (sessionId: string) => memberships.leave("ann", { sessions: [], sessionId }, lobby),
    /** As over HTTP without a session of its own. */
    leaveWithAll: (userId = "ann") => memberships.leave(userId, { sessions: "all", sessionId: null }, lobby),
    /** A live subscription on the room. */
    async follow({ session }: SessionConnection, { joins = false } = {}): Promise<TestFollower> {
      const removed: (string | null)[] = [];
      const remove = (reason: string | null): void => void removed.push(reason);
      const unfollow = await memberships.follow(lobby, followerOf({ session, joins, remove }));
      return { removed, unfollow };
    },
    /** A join over HTTP by a session without a connection. */
    lease: (
      sessionId = "over http",
      { userId = "ann", room = lobby as RoomName, state = null as string | null } = {},
    ) =>
      leases.take(
        {
          principal: { userId, scopes: new Set(), expiresAtMs: null },
          sessionId,
          namesSession: true,
          session: undefined,
        },
        room,
        state,
      ),
    member: (userId = "ann") => presence.member(lobby, userId),
    /** Sessions that hold ann's membership; undefined when there is none. */
    sessionCount: async () => (await presence.member(lobby, "ann"))?.sessionCount,
    /** Timers of the sessions and memberships alone. */
    pendingTimers: () => clock.pending - timersBefore,
    /** Lets time pass, after and before all that waits for nothing but its turn. */
    async advance(ms: number): Promise<void> {
      await eventLoopTurn();
      clock.advance(ms);
      await eventLoopTurn();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      parts.close();
      await world.close();
    },
  };
}
