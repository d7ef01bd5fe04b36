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

/**
 * The rule used when no other is given: by scope, and in some rooms alone where the
 * principal says so.
 *
 * The rooms bind whoever names some, also an admin, to read, send and join there and
 * nowhere else. What goes to everyone, and broadcast, moderate and admin, go by scope.
 */
export const authorizeByScope: Authorize = (principal, action) => {
  if (!hasScope(principal, NEEDED[action.kind])) return false;
  switch (action.kind) {
    case "read":
    case "send":
    case "join":
      return principal.rooms?.allows(action.room, action.kind) ?? true;
    default:
      return true;
  }
};
