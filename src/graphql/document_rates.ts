import type { Caller } from "../core/caller.ts";
import { RealtimeError } from "../core/errors.ts";
import { allowanceOf, rateOf } from "../core/message_rates.ts";
import type { LocalRateLimiter, Rate } from "../core/rate_limiter.ts";
import { documentWeight } from "./document_weight.ts";

/** Characters of new documents that a user may have checked in a second; an address twice as many, a service 20 times. */
const PER_SECOND = 32 * 1024;
const ADDRESS_BY = 2;
const SERVICES_BY = 20;

/**
 * How much somebody may have parsed, measured and validated that this node does not know.
 *
 * A document of 2,700 characters takes up to 5 ms the first time and nothing after that.
 * By user and by address like what is changed, twice a second's worth at once because a page
 * that loads sends all it has; and in this process alone: it is this process's time.
 */
export class DocumentRates {
  readonly #users: LocalRateLimiter;
  readonly #services: LocalRateLimiter;
  readonly #addresses: LocalRateLimiter;

  constructor(createLimiter: (rate: Rate) => LocalRateLimiter) {
    const open = (by: number) => createLimiter(rateOf(by * PER_SECOND));
    this.#users = open(1);
    this.#services = open(SERVICES_BY);
    this.#addresses = open(ADDRESS_BY);
  }

  /**
   * Counts a new document of a caller.
   *
   * @throws {RealtimeError} `RATE_LIMITED`
   */
  charge({ principal, address }: Caller, text: string): void {
    const weight = documentWeight(text);
    const isService = allowanceOf(principal) > 1;
    const waitMs = (isService ? this.#services : this.#users).take(principal.userId, weight);
    if (waitMs > 0) throw tooMany("you", waitMs);
    if (isService || address === undefined) return;
    const addressWaitMs = this.#addresses.take(address, weight);
    if (addressWaitMs > 0) throw tooMany("everybody at your address", addressWaitMs);
  }

  close(): void {
    for (const limiter of [this.#users, this.#services, this.#addresses]) limiter.close();
  }
}

function tooMany(who: string, retryAfterMs: number): RealtimeError {
  const message = `Cannot check this document now: ${who} sent too many different ones, send what differs as variables`;
  return new RealtimeError("RATE_LIMITED", message, { retryAfterMs });
}
