import { assertEquals } from "@std/assert";
import { authorizeByScope } from "../../src/auth/policy.ts";
import { type Action, type RoomRight, type RoomRights, type Scope, SCOPES } from "../../src/core/auth.ts";

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

/** Rights as a claim gives them: to read and send in the lobby alone. */
const rooms: RoomRights = { allows: (room, right) => room === "lobby" && right !== "join" };

for (const scopes of [["admin"], SCOPES, ["read", "send", "join"]] as const) {
  Deno.test(`authorizeByScope() lets rooms bind read, send and join of who has the scopes ${scopes}`, () => {
    const principal = { userId: "ann", scopes: new Set(scopes), rooms, expiresAtMs: null };
    const allowed = (kind: RoomRight, room: string) => authorizeByScope(principal, { kind, room });

    assertEquals([allowed("read", "lobby"), allowed("send", "lobby"), allowed("join", "lobby")], [true, true, false]);
    assertEquals([allowed("read", "attic"), allowed("send", "attic"), allowed("join", "attic")], [false, false, false]);
    assertEquals(authorizeByScope(principal, { kind: "readEveryone" }), true);
  });
}

Deno.test("authorizeByScope() gives nothing for the sake of rooms: the scope is needed too", () => {
  const everything: RoomRights = { allows: () => true };
  const principal = { userId: "ann", scopes: new Set<Scope>(), rooms: everything, expiresAtMs: null };

  for (const [action] of ACTIONS) assertEquals(authorizeByScope(principal, action), false, action.kind);
});

Deno.test("authorizeByScope() goes by scope alone for broadcast, moderate and admin, whatever the rooms", () => {
  const nothing: RoomRights = { allows: () => false };
  const principal = { userId: "ann", scopes: new Set(SCOPES), rooms: nothing, expiresAtMs: null };
  const allowed = ACTIONS.filter(([action]) => authorizeByScope(principal, action)).map(([action]) => action.kind);

  assertEquals(allowed, ["readEveryone", "broadcast", "broadcast", "moderate", "moderate", "admin"]);
});
