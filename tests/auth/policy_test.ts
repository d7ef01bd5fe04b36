import { assertEquals } from "@std/assert";
import { authorizeByScope } from "../../src/auth/policy.ts";
import { type Action, type Scope, SCOPES } from "../../src/core/auth.ts";

const ACTIONS: readonly (readonly [Action, Scope])[] = [
  [{ kind: "read", room: "lobby" }, "read"],
  [{ kind: "readEveryone" }, "read"],
  [{ kind: "send", room: "lobby" }, "send"],
  [{ kind: "join", room: "lobby" }, "join"],
  [{ kind: "broadcast", room: "lobby" }, "broadcast"],
  [{ kind: "broadcast", room: null }, "broadcast"],
  [{ kind: "moderate", room: "lobby" }, "moderate"],
  [{ kind: "moderate", room: null }, "moderate"],
  [{ kind: "admin" }, "admin"],
];

function isAllowed(scopes: readonly Scope[], action: Action) {
  return authorizeByScope({ userId: "ann", scopes: new Set(scopes), expiresAtMs: null }, action);
}

for (const [action, needed] of ACTIONS) {
  Deno.test(`authorizeByScope() allows ${JSON.stringify(action)} with "${needed}" or "admin" alone`, () => {
    const enough = SCOPES.filter((scope) => isAllowed([scope], action));

    assertEquals(new Set(enough), new Set([needed, "admin"]));
  });

  Deno.test(`authorizeByScope() refuses ${JSON.stringify(action)} without "${needed}"`, () => {
    const others = SCOPES.filter((scope) => scope !== needed && scope !== "admin");

    assertEquals(isAllowed(others, action), false);
    assertEquals(isAllowed([], action), false);
  });
}
