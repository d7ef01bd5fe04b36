import { type Authenticator, type Credentials, type Principal, TokenExpired } from "./auth.ts";
import { RealtimeError } from "./errors.ts";
import type { RefusedTokens } from "./refused_tokens.ts";

/**
 * Tells who a caller is, unless too many tokens of its network were refused lately.
 *
 * Everything that lets somebody in by a token asks here, so that no road is left on
 * which tokens may be tried for ever.
 */
export class GuardedAuthenticator {
  readonly #authenticator: Authenticator;
  readonly #refusedTokens: RefusedTokens;

  constructor(authenticator: Authenticator, refusedTokens: RefusedTokens) {
    this.#authenticator = authenticator;
    this.#refusedTokens = refusedTokens;
  }

  /** Whether guests are known by a cookie, so that transports hand one out. */
  get usesGuestCookie(): boolean {
    return this.#authenticator.usesGuestCookie;
  }

  /** Whether nobody can do anything without a token. */
  get needsToken(): boolean {
    return this.#authenticator.needsToken;
  }

  /**
   * Who comes with these credentials from this network; undefined: from nowhere that could be counted.
   *
   * @throws as {@linkcode Authenticator.authenticate} does, and `RATE_LIMITED`
   */
  async authenticate(credentials: Credentials, network: string | undefined): Promise<Principal> {
    const { token } = credentials;
    // Who was let in before is not to pay for what others of its network try.
    if (token === null || network === undefined || this.#authenticator.wasGood(token)) {
      return await this.#authenticator.authenticate(credentials);
    }
    await this.#refusedTokens.refuse(network);
    try {
      return await this.#authenticator.authenticate(credentials);
    } catch (error) {
      const isWrong = error instanceof RealtimeError && error.code === "UNAUTHENTICATED";
      // One that was good once is nobody's guess.
      if (isWrong && !(error instanceof TokenExpired)) await this.#refusedTokens.failed(network);
      throw error;
    }
  }
}
