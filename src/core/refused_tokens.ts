import { RealtimeError } from "./errors.ts";
import type { RateLimiter } from "./rate_limiter.ts";

/**
 * Keeps those who try one token after the other from being looked at for ever.
 *
 * `refuse` is called before a token is looked at, `failed` once it was refused for
 * anything but its age. Who presents none is not counted.
 */
export class RefusedTokens {
  readonly #limiter: RateLimiter | undefined;

  /** Without a limiter any number may be tried. */
  constructor(limiter: RateLimiter | undefined) {
    this.#limiter = limiter;
  }

  /** @throws {RealtimeError} `RATE_LIMITED` when too many tokens from this address were refused lately */
  async refuse(address: string): Promise<void> {
    const retryAfterMs = await this.#limiter?.look(address) ?? 0;
    if (retryAfterMs === 0) return;
    throw new RealtimeError("RATE_LIMITED", "Cannot look at a token: too many from this address were refused", {
      retryAfterMs,
    });
  }

  /** A token from this address was refused. */
  async failed(address: string): Promise<void> {
    await this.#limiter?.take(address);
  }

  close(): void {
    this.#limiter?.close();
  }
}
