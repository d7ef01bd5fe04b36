import { hasScope, type Principal } from "./auth.ts";
import type { Caller } from "./caller.ts";
import type { Clock } from "./clock.ts";
import { RealtimeError } from "./errors.ts";
import type { Rate, RateLimiter } from "./rate_limiter.ts";

/** What a user may do so often, a service and a network address may do this many times as often. */
const MORE_BY = 20;
/** A window is this long, in milliseconds, so that as much may come at once as is allowed in two seconds. */
const WINDOW_MS = 2_000;

/** What counting mutations needs. */
export interface MessageRatesDeps {
  readonly createLimiter: (rate: Rate) => RateLimiter;
  /** The one that the limiters go by. */
  readonly clock: Pick<Clock, "now">;
  /** Mutations a user may make in a second; not 0. */
  readonly perSecond: number;
}

/**
 * How often somebody may change something: each field of a mutation counts once.
 *
 * By user first, so that one who sends too much takes nothing from those who share an
 * address with them; then by address, because without authentication a user is whoever
 * somebody says to be. A service (scope `broadcast`) speaks for many, and is not counted
 * by address.
 */
export class MessageRates {
  readonly #clock: Pick<Clock, "now">;
  readonly #perSecond: number;
  readonly #users: RateLimiter;
  readonly #services: RateLimiter;
  readonly #addresses: RateLimiter;

  constructor({ createLimiter, clock, perSecond }: MessageRatesDeps) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#users = createLimiter(rateOf(perSecond));
    this.#services = createLimiter(rateOf(perSecond * MORE_BY));
    this.#addresses = createLimiter(rateOf(perSecond * MORE_BY));
  }

  /**
   * Counts one mutation of a caller who may make it: undefined when that was told at once.
   *
   * @throws {RealtimeError} `RATE_LIMITED`, or a promise that rejects with it
   */
  charge(caller: Caller): Promise<void> | undefined {
    const { principal: { userId } } = caller;
    const wait = this.#limiterOf(caller).take(userId);
    return typeof wait === "number" ? this.#chargeAddress(wait, caller) : wait.then(async (waited) => {
      await this.#chargeAddress(waited, caller);
    });
  }

  /** When what was just charged was. */
  now(): number {
    return this.#clock.now();
  }

  /** What was counted then was a repeat, of which nothing came. */
  refund(caller: Caller, chargedMs: number): void {
    const { principal, address } = caller;
    this.#limiterOf(caller).giveBack(principal.userId, chargedMs);
    if (address !== undefined && !isService(principal)) this.#addresses.giveBack(address, chargedMs);
  }

  close(): void {
    for (const limiter of [this.#users, this.#services, this.#addresses]) limiter.close();
  }

  #limiterOf({ principal }: Caller): RateLimiter {
    return isService(principal) ? this.#services : this.#users;
  }

  #chargeAddress(waited: number, { principal, address }: Caller): Promise<void> | undefined {
    const service = isService(principal);
    const own = service ? this.#perSecond * MORE_BY : this.#perSecond;
    if (waited > 0) throw tooMany("you", own, waited);
    if (service || address === undefined) return undefined;
    const judge = (wait: number): undefined => {
      if (wait > 0) throw tooMany("everybody at your address", this.#perSecond * MORE_BY, wait);
    };
    const wait = this.#addresses.take(address);
    return typeof wait === "number" ? judge(wait) : wait.then(judge);
  }
}

/** Mutations or messages of a second, for a window of which as many may come at once. */
export function rateOf(perSecond: number): Rate {
  return { count: perSecond * WINDOW_MS / 1_000, windowMs: WINDOW_MS };
}

/** How many mutations of one caller count as one of a user. */
export function allowanceOf(principal: Principal | undefined): number {
  return principal !== undefined && isService(principal) ? MORE_BY : 1;
}

function isService(principal: Principal): boolean {
  return hasScope(principal, "broadcast");
}

function tooMany(who: string, perSecond: number, retryAfterMs: number): RealtimeError {
  const message = `Cannot do this now: ${who} may send and change ${perSecond} times a second`;
  return new RealtimeError("RATE_LIMITED", message, { retryAfterMs, limit: perSecond });
}
