import type { Cancel, Clock } from "./clock.ts";
import { RealtimeError } from "./errors.ts";
import { encodeEvent, type LeaveReason } from "./event.ts";
import { MembershipHolds } from "./membership_holds.ts";
import type { Entered, MemberRecord, Presence } from "./presence.ts";
import type { RoomName } from "./room_name.ts";
import type { ConnectionEnd, Session } from "./sessions.ts";
import type { SmallSet } from "./small_set.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** What a held membership needs. */
export interface HeldMembershipDeps {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** How long after its last hold a membership ends, in milliseconds. */
  readonly leaveGraceMs: number;
  /** Whether the memberships are closed: nothing begins on its own any more. */
  readonly isClosed: () => boolean;
  /** Called when nobody has anything to do with it any more. */
  readonly onUnused: (membership: HeldMembership) => void;
}

/** A state to begin a membership with. */
export interface FirstState {
  readonly json: string;
  /** The session it goes with. */
  readonly setBy: Session;
}

/** How long until an exit that the engine refused is tried again. */
const EXIT_RETRY_MS = 1_000;

/**
 * One user's membership of one room, as far as this node holds it.
 *
 * The engine hears of it only when it begins, changes and ends, one call after the other.
 * Held by nobody it waits for a grace, and then ends.
 */
export class HeldMembership {
  readonly holds = new MembershipHolds();
  readonly #deps: HeldMembershipDeps;
  #entered = false;
  /** Set while it waits, held by nobody, for somebody to come back. */
  #cancelGrace: Cancel | undefined;
  /** Settles with the last step, as long as there is one. */
  #turn: Promise<unknown> | undefined;
  /** Steps that have their turn or wait for it. */
  #steps = 0;

  constructor(readonly room: RoomName, readonly userId: string, deps: HeldMembershipDeps) {
    this.#deps = deps;
  }

  /** Whether the engine has been told that this node holds it. */
  get entered(): boolean {
    return this.#entered;
  }

  /** The sessions that hold it now. */
  get holders(): SmallSet<Session> {
    return this.holds.holders(this.#entered);
  }

  /** Runs one step after all earlier ones have settled: the engine hears of changes in their order. */
  async inTurn<T>(step: () => Promise<T>): Promise<T> {
    this.#steps++;
    const result = (this.#turn ?? Promise.resolve()).then(step).finally(() => {
      if (--this.#steps === 0) this.#turn = undefined;
    });
    // The failure belongs to whoever awaits `result`; the next step goes on regardless.
    this.#turn = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.settle();
    }
  }

  /** The same for a step that nobody waits for: its failure is logged. */
  inBackground(step: () => Promise<unknown>): void {
    if (this.#deps.isClosed()) return;
    this.inTurn(step).catch((error: unknown) => {
      const { room, userId } = this;
      this.#deps.telemetry.record("error", "membership.failed", { room, userId, error: describeError(error) });
    });
  }

  /** Begins it, or tells the engine how many sessions hold it here. Only in turn. */
  async enter(state: FirstState | null): Promise<Entered> {
    const { room, userId, holders: { size: sessionCount } } = this;
    const event = encodeEvent({ kind: "joined", userId, sessionCount, state: state?.json ?? null });
    const beginning = { event, state: state === null ? null : { json: state.json, setBy: state.setBy.id } };
    const { presence } = this.#deps;
    try {
      const entered = await presence.enter(room, userId, { sessionCount }, beginning);
      this.#entered = true;
      if (entered.first && state !== null) state.setBy.statefulRooms.add(room);
      // What is followed here holds it from now on, and counts.
      const { holders: { size } } = this;
      if (size === sessionCount) return entered;
      const member = await presence.keep(room, userId, { sessionCount: size });
      return member === undefined ? entered : { first: entered.first, member };
    } catch (error) {
      // What may have happened must be undone once nobody holds it; exiting for nothing is nothing.
      if (!isNotExecuted(error)) this.#entered = true;
      throw error;
    }
  }

  /** Tells the engine how many sessions hold it here, if there is a membership. Only in turn. */
  async keep(): Promise<MemberRecord | undefined> {
    if (!this.#entered && !this.holds.isFollowed) return undefined;
    const wasEntered = this.#entered;
    // Counted as it will be if there is a membership to hold.
    this.#entered = true;
    const { room, userId, holders: { size: sessionCount } } = this;
    try {
      const member = await this.#deps.presence.keep(room, userId, { sessionCount });
      this.#entered = member !== undefined;
      if (this.#entered && sessionCount > 0) this.endGrace();
      return member;
    } catch (error) {
      // What may have happened must be undone, as above.
      if (isNotExecuted(error)) this.#entered = wasEntered;
      throw error;
    }
  }

  /** Ends it, unless others still hold it or may come back to it. Only in turn. */
  async exitUnlessHeld(reason: LeaveReason = "LEFT"): Promise<void> {
    if (this.holders.size > 0 || this.holds.waiting.size > 0) await this.keep();
    else await this.#exit(reason);
  }

  /** Ends it, whatever holds it on any node. Whether there was one. Only in turn. */
  async remove(): Promise<boolean> {
    this.endGrace();
    const { room, userId } = this;
    const removed = encodeEvent({ kind: "left", userId, reason: "REMOVED" });
    const { last } = await this.#deps.presence.remove(room, userId, removed);
    this.#entered = false;
    return last;
  }

  /** Ends what the session holds by having joined: it has lost its last connection. */
  loseConnection(session: Session, reason: ConnectionEnd): void {
    if (!this.holds.unjoin(session)) return;
    if (!session.ended) this.holds.waiting.add(session);
    if (this.holders.size === 0) this.wait(reason);
    else this.inBackground(() => this.keep());
  }

  /** Waits for somebody to come back, as a member of no session. */
  wait(reason: LeaveReason): void {
    this.#beginGrace(reason, this.#deps.leaveGraceMs);
    this.inBackground(() => this.keep());
  }

  /** Ends the waiting: somebody has come back, or nobody is to. */
  endGrace(): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
  }

  /** Sees to it that a membership nobody holds ends: in a while if the engine knows of it, else now. */
  settle(): void {
    const isWaiting = this.#cancelGrace !== undefined;
    if (this.#entered && !isWaiting && this.holders.size === 0) {
      this.#beginGrace("DISCONNECTED", this.#deps.leaveGraceMs);
    } else if (!this.#entered && !isWaiting && this.#steps === 0 && this.holds.isEmpty) {
      this.#deps.onUnused(this);
    }
  }

  #beginGrace(reason: LeaveReason, delayMs: number): void {
    if (this.#deps.isClosed()) return;
    this.endGrace();
    this.#cancelGrace = this.#deps.clock.after(delayMs, () => {
      this.#cancelGrace = undefined;
      this.inBackground(async () => {
        if (this.holders.size === 0) await this.#exit(reason);
      });
    });
  }

  async #exit(reason: LeaveReason): Promise<void> {
    this.endGrace();
    if (!this.#entered) return;
    const { room, userId } = this;
    try {
      await this.#deps.presence.exit(room, userId, encodeEvent({ kind: "left", userId, reason }));
      this.#entered = false;
    } catch (error) {
      if (this.holders.size === 0) this.#beginGrace(reason, EXIT_RETRY_MS);
      throw error;
    }
  }
}

function isNotExecuted(error: unknown): boolean {
  return error instanceof RealtimeError && error.code === "ENGINE_UNAVAILABLE";
}
