import type { HeldMembership } from "./held_membership.ts";
import type { Follower } from "./membership_holds.ts";
import type { ConnectionEnd } from "./sessions.ts";

/**
 * Why a subscription no longer follows a room: its client completed it, its connection
 * ended, or it may not any more.
 */
export type FollowEnd = ConnectionEnd | "COMPLETED" | "REMOVED";

/**
 * Lets a subscription hold its user's membership, for as long as both are there.
 *
 * @returns what ends that, once
 * @throws as the engine's presence does, when the subscription is to begin the membership
 */
export async function followMembership(
  membership: HeldMembership,
  follower: Follower,
): Promise<(end: FollowEnd) => void> {
  const { holds } = membership;
  const { session, joins } = follower;
  const hadLeft = joins && holds.leavers.delete(session);
  const counted = membership.holders.has(session);
  holds.followers.add(follower);
  const unfollow = (end: FollowEnd): void => {
    if (holds.followers.delete(follower)) unfollowed(membership, follower, end);
  };
  if (joins) {
    membership.endGrace();
    try {
      await membership.inTurn(() => membership.enter(null));
    } catch (error) {
      holds.followers.delete(follower);
      if (hadLeft && !holds.isJoinedBy(session)) holds.noteLeft(session);
      membership.settle();
      throw error;
    }
  } else if (!counted && !holds.leavers.has(session)) {
    holds.arriving.add(follower);
    membership.inBackground(async () => {
      if (holds.arriving.delete(follower)) await membership.keep();
    });
  }
  return unfollow;
}

function unfollowed(membership: HeldMembership, follower: Follower, end: FollowEnd): void {
  const { holds } = membership;
  const { session, joins } = follower;
  const heldNothing = holds.arriving.delete(follower) || holds.leavers.has(session);
  if (holds.followers.size === 0) holds.leavers.clear();
  if (!membership.entered || heldNothing || membership.holders.has(session)) return membership.settle();
  if (membership.holders.size > 0) return membership.inBackground(() => membership.keep());
  if (end === "DISCONNECTED" || end === "TIMEOUT") return membership.wait(end);
  if (!joins) return membership.wait("DISCONNECTED");
  membership.inBackground(() => membership.exitUnlessHeld(end === "COMPLETED" ? "LEFT" : "REMOVED"));
}
