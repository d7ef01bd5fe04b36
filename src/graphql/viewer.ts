import { hasScope, SCOPES } from "../core/auth.ts";
import type { Caller } from "../core/caller.ts";
import type { Builder } from "./builder.ts";
import { atMost } from "./page_size.ts";
import type { RoomRef } from "./room.ts";

/** Adds `Viewer` and the field that answers it. */
export function addViewer(builder: Builder, room: RoomRef): void {
  const viewer = builder.objectRef<Caller>("Viewer").implement({
    description: "The one who asks, as the server sees them.",
    fields: (t) => ({
      // One cache belongs to one user: more than the user would make an entry for each request.
      id: t.id({ description: "The cache key: the user's id.", resolve: ({ principal }) => principal.userId }),
      userId: t.id({
        description: "Who you are: the token's subject, the id you claimed on an open server, or a guest's.",
        resolve: ({ principal }) => principal.userId,
      }),
      sessionId: t.id({
        description: "The client run this request belongs to, which `excludeSelf` and memberships go by. Over HTTP " +
          "without an `x-session-id` header it is made for this one request.",
        resolve: ({ sessionId }) => sessionId,
      }),
      scopes: t.stringList({
        description: "What you may do: of read, send, join, broadcast, moderate, admin. `admin` brings all others.",
        resolve: ({ principal }) => SCOPES.filter((scope) => hasScope(principal, scope)),
      }),
      tokenExpiresAt: t.field({
        type: "DateTime",
        nullable: true,
        description: "When your token ends, and an open connection with it unless refreshed; null without an end.",
        resolve: ({ principal: { expiresAtMs } }) => expiresAtMs === null ? null : new Date(expiresAtMs),
      }),
      rooms: t.field({
        type: [room],
        // What one session may have joined by default.
        extensions: atMost(100),
        description:
          "The rooms you are a member of through any session, sorted by name; without those you may not read.",
        resolve: (caller, _args, { rooms }) => rooms.roomsOf(caller),
      }),
    }),
  });
  builder.queryField("viewer", (t) =>
    t.field({
      type: viewer,
      description: "You: user, session, rights and rooms.",
      resolve: (_root, _args, { viewer }) => viewer,
    }));
}
