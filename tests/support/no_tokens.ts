import { createOpenAuthenticator } from "../../src/auth/open.ts";
import { SCOPES } from "../../src/core/auth.ts";
import { GuardedAuthenticator } from "../../src/core/guarded_authenticator.ts";
import { RefusedTokens } from "../../src/core/refused_tokens.ts";

/** Authentication for parts that ask for no tokens. */
export const NO_TOKENS: GuardedAuthenticator = new GuardedAuthenticator(
  createOpenAuthenticator({ scopes: SCOPES }),
  new RefusedTokens(undefined),
);
