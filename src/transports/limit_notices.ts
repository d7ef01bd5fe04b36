import type { LocalRateLimiter } from "../core/rate_limiter.ts";
import type { Telemetry } from "../core/telemetry.ts";

/** A bound of one network that can be reached. */
export type NetworkLimit = "connections" | "requests";

/** How often the same is said of a network, in milliseconds. */
export const NOTICE_EVERY = { count: 1, windowMs: 60_000 };

/**
 * Says that a network is refused, once a minute: a flood is not to fill the log as well.
 *
 * It may be no flood, but a proxy that nobody has called trusted.
 */
export class LimitNotices {
  readonly #telemetry: Telemetry;
  readonly #said: LocalRateLimiter;

  constructor(telemetry: Telemetry, said: LocalRateLimiter) {
    this.#telemetry = telemetry;
    this.#said = said;
  }

  note(limit: NetworkLimit, network: string): void {
    if (this.#said.take(`${limit} ${network}`) > 0) return;
    this.#telemetry.record("warn", "limit.reached", { limit, network });
  }
}
