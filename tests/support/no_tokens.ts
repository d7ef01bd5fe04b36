import { createOpenAuthenticator } from "../../src/auth/open.ts";
import { type Authenticator, SCOPES } from "../../src/core/auth.ts";

/** Authentication for parts that ask for no tokens. */
export const NO_TOKENS: Authenticator = createOpenAuthenticator({ scopes: SCOPES });
