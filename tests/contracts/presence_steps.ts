import type { Engine } from "../../src/core/engine.ts";
import { decodeEntry, encodeEvent } from "../../src/core/event.ts";
import type { MemberBeginning, MemberState } from "../../src/core/presence.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { eventsOf } from "../../src/core/stream.ts";
import { describeEvent } from "../support/describe_event.ts";

/** The room the presence tests are in. */
export const lobby = parseRoomName("lobby");

/** A node's share in a membership that one session holds. */
export const share = { sessionCount: 1 };

/** What a membership begins with: its event, without a state. */
export function beginning(userId: string, state: MemberState | null = null): MemberBeginning {
  return { event: encodeEvent({ kind: "joined", userId, sessionCount: 1, state: state?.json ?? null }), state };
}

/** The event of a leave that the user asked for. */
export function left(userId: string): string {
  return encodeEvent({ kind: "left", userId, reason: "LEFT" });
}

/** One session on this node begins to hold the user's membership of the lobby. */
export function enter(node: Engine, userId: string) {
  return node.presence.enter(lobby, userId, share, beginning(userId));
}

/** This node no longer holds it. */
export function exit(node: Engine, userId: string) {
  return node.presence.exit(lobby, userId, left(userId));
}

/** The events kept of the lobby, oldest first, as far as a node can read them. */
export async function eventsIn(node: Engine): Promise<string[]> {
  const stream = eventsOf(lobby);
  const { entries } = await node.log.read(stream, { limit: 100 });
  return entries.map((entry) => describeEvent(decodeEntry(stream, entry).event));
}
