import { type Action, type Authorize, hasScope, type Scope } from "../core/auth.ts";

/** The scope each kind of action needs. */
const NEEDED: Readonly<Record<Action["kind"], Scope>> = {
  read: "read",
  readEveryone: "read",
  send: "send",
  join: "join",
  broadcast: "broadcast",
  moderate: "moderate",
  admin: "admin",
};

/** The rule used when no other is given: each action needs its scope, whatever the room. */
export const authorizeByScope: Authorize = (principal, action) => hasScope(principal, NEEDED[action.kind]);
