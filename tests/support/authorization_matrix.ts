import { authorizeByScope } from "../../src/auth/policy.ts";
import { parseRoomRights } from "../../src/auth/room_rights.ts";
import type { Action, Authorize, Principal, RoomRight, Scope } from "../../src/core/auth.ts";
import { SCOPES } from "../../src/core/auth.ts";

/** What the token of a test's user says. */
export interface UserClaims {
  readonly scopes: readonly Scope[];
  /** The claim `rooms`; absent: anywhere. */
  readonly rooms?: Readonly<Record<string, readonly string[]>>;
}

const USUAL: readonly Scope[] = ["read", "send", "join"];
const PUBLIC = { "public-*": ["read", "send", "join"] };

/** Who there is. Nobody of them is told which rooms there are. */
export const USERS: Readonly<Record<string, UserClaims>> = {
  owner: { scopes: SCOPES },
  insider: { scopes: USUAL, rooms: { ...PUBLIC, "vault*": ["read", "send", "join"] } },
  reader: { scopes: USUAL, rooms: { ...PUBLIC, "vault*": ["read"] } },
  sender: { scopes: USUAL, rooms: { ...PUBLIC, "vault*": ["send"] } },
  joiner: { scopes: USUAL, rooms: { ...PUBLIC, "vault*": ["join"] } },
  outsider: { scopes: USUAL, rooms: { ...PUBLIC, "vaul": ["read"], "Vault*": ["read"], "*vault-": ["read"] } },
  nobody: { scopes: [], rooms: { "*": ["read", "send", "join"] } },
  locked: { scopes: USUAL, rooms: {} },
  moderator: { scopes: ["moderate"] },
  boundAdmin: { scopes: ["admin"], rooms: PUBLIC },
};

/** Rights by name alone, for a server whose users say who they are; others may do everything. */
export const authorizeByName: Authorize = ({ userId }, action) => {
  const claims = USERS[userId];
  return claims === undefined || authorizeByScope(principalOf(userId, claims), action);
};

/** Who has such a token. */
export function principalOf(userId: string, { scopes, rooms }: UserClaims): Principal {
  const rights = rooms === undefined ? {} : { rooms: parseRoomRights(rooms) };
  return { userId, scopes: new Set(scopes), expiresAtMs: null, ...rights };
}

/** One thing that somebody can ask for, of a room. */
export interface MatrixOperation {
  readonly name: string;
  readonly kind: "query" | "mutation" | "subscription";
  readonly query: string;
  /** What it takes; empty: nothing. */
  readonly needs: readonly Action["kind"][];
  /** For a subscription that is allowed: what makes something come of it. */
  readonly brings?: "message" | "join";
  /** Not allowed to be a member of the room when it is done, or allowed and none yet. */
  readonly notFound?: true;
}

const ROOM_PAGE = "edges { cursor node { content data senderId } } pageInfo { endCursor hasNextPage }";

/** In this order: joined between the two that set a state. */
export const OPERATIONS: readonly MatrixOperation[] = [
  query("a room", "{ room(room: $room) { id } }"),
  query("a room's member count", "{ room(room: $room) { memberCount } }"),
  query("a room's head", "{ room(room: $room) { head } }"),
  query("a room's members", "{ room(room: $room) { members { totalCount nodes { userId state } } } }"),
  query("a room's messages", `{ room(room: $room) { messages { ${ROOM_PAGE} } } }`),
  query(
    "a room's messages by an alias and a fragment",
    "{ x: room(room: $room) { ...F } } fragment F on Room { y: messages { nodes { content data } } }",
  ),
  query(
    "history after a cursor",
    `{ room(room: $room) { messages(first: 300, after: $cursor) { ${ROOM_PAGE} } } }`,
    "$cursor: Cursor",
  ),
  query(
    "history before a cursor",
    `{ room(room: $room) { messages(last: 300, before: $cursor) { ${ROOM_PAGE} } } }`,
    "$cursor: Cursor",
  ),
  {
    ...mutation(
      "setPresence by no member",
      `{ setPresence(room: $room, state: "x") { success member { userId } } }`,
      "join",
    ),
    notFound: true,
  },
  mutation("joinRoom", "{ joinRoom(room: $room) { success cursor member { userId } } }", "join"),
  mutation("setPresence", `{ setPresence(room: $room, state: "x") { success member { userId state } } }`, "join"),
  mutation(
    "sendMessage",
    `{ sendMessage(room: $room, content: "hello") { success message { content senderId } } }`,
    "send",
  ),
  {
    name: "leaveRoom",
    kind: "mutation",
    query: "mutation ($room: ID!) { leaveRoom(room: $room) { success } }",
    needs: [],
  },
  mutation("broadcast", `{ broadcast(room: $room, event: "e") { success } }`, "broadcast"),
  mutation("removeFromRoom", `{ removeFromRoom(room: $room, userId: "ghost") { success } }`, "moderate"),
  subscription("messages", "messages(room: $room) { content data senderId }", ["read"], "message"),
  subscription(
    "messages with the last",
    "messages(room: $room, last: 100) { content data senderId }",
    ["read"],
    "message",
  ),
  subscription(
    "messages after a cursor",
    "messages(room: $room, after: $cursor) { content data senderId }",
    ["read"],
    "message",
    "$cursor: Cursor",
  ),
  subscription(
    "messages that join",
    "messages(room: $room, join: true) { content data senderId }",
    ["read", "join"],
    "message",
  ),
  subscription("roomEvents", "roomEvents(room: $room) { type userId room }", ["read"], "join"),
  subscription(
    "roomEvents with a snapshot",
    "roomEvents(room: $room, types: [SNAPSHOT, JOINED]) { type userId ... on RoomSnapshot { memberCount members { userId state } } ... on UserJoined { member { userId state } } }",
    ["read"],
    "join",
  ),
];

/** What is the same whatever the room. */
export const ROOMLESS: readonly MatrixOperation[] = [
  {
    name: "one's own rooms",
    kind: "query",
    query:
      `{ viewer { rooms { id memberCount head messages(last: 2) { nodes { content data } } members(first: 2) { nodes { userId state } } } } }`,
    needs: [],
  },
  {
    name: "all rooms",
    kind: "query",
    query:
      `{ rooms(first: 100) { nodes { id messages(last: 2) { nodes { content data } } members(first: 2) { nodes { userId state } } } edges { cursor } pageInfo { endCursor } } }`,
    needs: ["admin"],
  },
  { name: "the server", kind: "query", query: "{ server { connections subscriptions rooms } }", needs: ["admin"] },
  {
    name: "broadcast to everyone",
    kind: "mutation",
    query: `mutation { broadcast(event: "e") { success } }`,
    needs: ["broadcast"],
  },
  {
    name: "disconnectUser",
    kind: "mutation",
    query: `mutation { disconnectUser(userId: "ghost") { success } }`,
    needs: ["admin"],
  },
];

/** What the user is to be answered: written anew here, not asked of the code under test. */
export function expectedCode(user: string, { needs, notFound }: MatrixOperation, room: string | null): string {
  const { scopes, rooms } = USERS[user]!;
  const isAllowed = needs.every((kind) => {
    const scope = kind === "readEveryone" ? "read" : kind;
    if (!scopes.includes(scope) && !scopes.includes("admin")) return false;
    if (rooms === undefined || !USUAL.includes(kind as RoomRight)) return true;
    return room !== null &&
      Object.entries(rooms).some(([pattern, rights]) =>
        rights.includes(kind) &&
        (pattern.endsWith("*") ? room.startsWith(pattern.slice(0, -1)) || pattern === "*" : pattern === room)
      );
  });
  if (!isAllowed) return "FORBIDDEN";
  return notFound === true ? "NOT_FOUND" : "ok";
}

function query(name: string, text: string, more = ""): MatrixOperation {
  return { name, kind: "query", query: `query ($room: ID!, ${more}) ${text}`, needs: ["read"] };
}

function mutation(name: string, text: string, need: Action["kind"]): MatrixOperation {
  return { name, kind: "mutation", query: `mutation ($room: ID!) ${text}`, needs: [need] };
}

function subscription(
  name: string,
  text: string,
  needs: readonly Action["kind"][],
  brings: "message" | "join",
  more = "",
): MatrixOperation {
  return { name, kind: "subscription", query: `subscription ($room: ID! ${more}) { ${text} }`, needs, brings };
}
