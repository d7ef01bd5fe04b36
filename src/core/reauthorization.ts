import type { Action, Principal } from "./auth.ts";
import type { RealtimeError } from "./errors.ts";
import { actionsOf } from "./feed_request.ts";
import { type Gate, notAllowed } from "./gate.ts";
import type { HeldMembership } from "./held_membership.ts";
import type { Follower } from "./membership_holds.ts";
import type { Memberships } from "./memberships.ts";
import type { Session } from "./sessions.ts";
import { describeError, type Telemetry } from "./telemetry.ts";

/** Whose rights may have changed. */
export interface Reauthorized {
  /** Undefined: everybody's. */
  readonly userId?: string | undefined;
  /** Only what this session of the user holds and follows. */
  readonly session?: Session | undefined;
}

/** What asking anew needs. */
export interface ReauthorizationDeps {
  readonly gate: Gate;
  readonly memberships: Memberships;
  readonly telemetry: Telemetry;
  /** Subscriptions that can hold no membership. */
  readonly loose: ReadonlySet<Follower>;
}

/** Questions whose answers are waited for at once: an authorizer may ask a database. */
const MAX_QUESTIONS = 100;

/**
 * Asks anew for what is going on already, and ends what is not allowed any more.
 *
 * What the authorizer answers at once is carried out before anything is awaited: when it
 * always does, nothing more is delivered from the call on. Resolves when all has been
 * asked and ended; never rejects.
 */
export class Reauthorization {
  readonly #whose: Reauthorized;
  readonly #deps: ReauthorizationDeps;
  readonly #questions = new Set<Promise<void>>();
  readonly #ended = new Set<Follower>();
  #left = 0;

  constructor(whose: Reauthorized, deps: ReauthorizationDeps) {
    this.#whose = whose;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { userId } = this.#whose;
    const { memberships, loose, telemetry } = this.#deps;
    const held = memberships.held(userId);
    // Looked up before any subscription is ended, which may hold one too.
    const holders = held.flatMap((membership) => [...membership.holders].map((session) => ({ membership, session })));
    const followers: readonly Follower[] = [...held.flatMap(({ holds }) => [...holds.followers]), ...loose];
    for (const follower of followers) {
      if (!this.#concerns(follower.principal.userId, follower.session)) continue;
      for (const action of actionsOf(follower)) {
        const ask = this.#askFor(
          [follower.principal],
          action,
          () => this.#endSubscription(follower, notAllowed(action)),
        );
        if (ask !== undefined) await ask;
      }
    }
    for (const { membership, session } of holders) {
      // Who has no connection speaks for nobody; it is asked when it is continued.
      const { principals } = session;
      if (principals.length === 0 || !this.#concerns(session.userId, session)) continue;
      const action = { kind: "join", room: membership.room } as const;
      const ask = this.#askFor(principals, action, () => this.#endMembership(membership, session));
      if (ask !== undefined) await ask;
    }
    await Promise.all(this.#questions);
    const { size: subscriptions } = this.#ended;
    if (subscriptions + this.#left === 0) return;
    telemetry.record("info", "rights.revoked", { userId, subscriptions, memberships: this.#left });
  }

  #concerns(userId: string, session: Session | undefined): boolean {
    const { userId: wanted, session: only } = this.#whose;
    return (wanted === undefined || userId === wanted) && (only === undefined || session === only);
  }

  /** Asks for all, one yes is enough. A promise when there are as many questions as may be at once. */
  #askFor(principals: readonly Principal[], action: Action, onRefused: () => unknown): Promise<unknown> | undefined {
    const answers = principals.map((principal) => this.#deps.gate.allows({ principal }, action));
    if (answers.includes(true)) return undefined;
    const waits = answers.some((answer) => answer instanceof Promise);
    const refused = waits
      ? Promise.all(answers).then((all) => all.includes(true) ? undefined : onRefused())
      : onRefused();
    if (!(refused instanceof Promise)) return undefined;
    const question: Promise<void> = refused.then(() => void this.#questions.delete(question));
    this.#questions.add(question);
    return this.#questions.size < MAX_QUESTIONS ? undefined : Promise.race(this.#questions);
  }

  #endSubscription(follower: Follower, error: RealtimeError): void {
    this.#ended.add(follower);
    try {
      follower.end(error);
    } catch (failure) {
      // The others are to end all the same.
      const { room, principal: { userId } } = follower;
      this.#deps.telemetry.record("error", "subscription.failed", { room, userId, error: describeError(failure) });
    }
  }

  async #endMembership({ room, userId }: HeldMembership, session: Session): Promise<void> {
    this.#left++;
    const leaving = { sessions: [session], sessionId: session.id, reason: "REMOVED" } as const;
    try {
      await this.#deps.memberships.leave(userId, leaving, room);
    } catch (error) {
      // Held by nobody it ends by itself, as soon as the engine takes that.
      this.#deps.telemetry.record("error", "membership.failed", { room, userId, error: describeError(error) });
    }
  }
}
