import type { Principal } from "../core/auth.ts";

/** How long a token is not checked again, in milliseconds: so long may a key still count that was taken out. */
const KNOWN_MS = 30_000;
const MAX_TOKENS = 4_096;
/** Longer ones are checked each time: what is remembered is bounded by size too. */
const MAX_LENGTH = 2_048;

interface Known {
  readonly principal: Principal;
  readonly untilMs: number;
}

/**
 * Tokens that were found good: those of a moment ago are not checked again.
 *
 * A backend sends the same one with each request, and to check its signature costs more
 * than all else that is done for the request. Those that are to be checked again are
 * kept too, for they are nobody's guess.
 */
export class VerifiedTokens {
  readonly #known = new Map<string, Known>();
  readonly #leewayMs: number;

  /** Tokens are good until `leewayMs` after they have expired. */
  constructor(leewayMs: number) {
    this.#leewayMs = leewayMs;
  }

  /** Whose token it is, when it is known to be good now. */
  find(token: string, nowMs: number): Principal | undefined {
    const known = this.#known.get(token);
    if (known === undefined) return undefined;
    return nowMs < known.untilMs ? known.principal : undefined;
  }

  /** Whether it was found good, however long ago. */
  has(token: string): boolean {
    return this.#known.has(token);
  }

  /** A token is good no more. */
  forget(token: string): void {
    this.#known.delete(token);
  }

  /** Remembers a token that is good; what was longest not found good is forgotten for it when there are too many. */
  add(token: string, principal: Principal, nowMs: number): void {
    if (token.length > MAX_LENGTH) return;
    const { expiresAtMs } = principal;
    const endMs = expiresAtMs === null ? Infinity : expiresAtMs + this.#leewayMs;
    this.#known.delete(token);
    this.#known.set(token, { principal, untilMs: Math.min(endMs, nowMs + KNOWN_MS) });
    if (this.#known.size <= MAX_TOKENS) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
