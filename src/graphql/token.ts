import type { Builder } from "./builder.ts";

/** The source of `RefreshTokenPayload`. */
export interface RefreshedToken {
  readonly expiresAtMs: number | null;
}

/** Adds the mutation `refreshToken` and its payload. */
export function addRefreshToken(builder: Builder): void {
  const payload = builder.objectRef<RefreshedToken>("RefreshTokenPayload").implement({
    description: "How long the connection may go on.",
    fields: (t) => ({
      success: t.boolean({
        description: "Always true: what is refused comes as an error with a code.",
        resolve: () => true,
      }),
      expiresAt: t.field({
        type: "DateTime",
        nullable: true,
        description: "When the new token ends; null without an end.",
        resolve: ({ expiresAtMs }) => expiresAtMs === null ? null : new Date(expiresAtMs),
      }),
    }),
  });
  builder.mutationField("refreshToken", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Gives the open connection a new token of the same user before the old one ends, so that it need not " +
        "reconnect; its rights are the new token's from then on. It is for what the old token has opened in this session: the " +
        "connection that asks, and over HTTP those of the session that `x-session-id` names. `UNAUTHENTICATED` when the token is refused.",
      args: { token: t.arg.string({ required: true, description: "The new token, without `Bearer`." }) },
      resolve: (_root, { token }, { rooms, viewer }) => rooms.refreshToken(viewer, token),
    }));
}
