import type { Builder } from "./builder.ts";
import type { MemberRef, MemberSource } from "./member.ts";

/** Adds the mutation `setPresence` and its payload. */
export function addSetPresence(builder: Builder, member: MemberRef): void {
  const payload = builder.objectRef<MemberSource>("SetPresencePayload").implement({
    description: "The member with the new state.",
    fields: (t) => ({
      success: t.boolean({
        description: "Always true: what is refused comes as an error with a code.",
        resolve: () => true,
      }),
      room: t.id({ description: "The room, as its name is written.", resolve: ({ room }) => room }),
      member: t.field({ type: member, description: "You, as others see you now.", resolve: (source) => source }),
    }),
  });
  builder.mutationField("setPresence", (t) =>
    t.field({
      type: payload,
      nullable: true,
      description:
        "Sets your state in a room you are a member of (`NOT_FOUND` otherwise). The last one set wins, and " +
        "others see `MemberUpdated`; it is not kept in the history. It goes with the session that set it. Errors: " +
        "`NOT_FOUND`, `FORBIDDEN`, `PAYLOAD_TOO_LARGE` (with `limit`), `RATE_LIMITED` (with `retryAfterMs`), " +
        "`BAD_USER_INPUT`.",
      args: {
        room: t.arg.id({ required: true, description: "The room's name." }),
        state: t.arg({ type: "JSON", required: true, description: "The whole new state, at most 1 KiB as JSON." }),
      },
      resolve: async (_root, { room: roomName, state }, { rooms, viewer }) => {
        const { room, member } = await rooms.setState(viewer, roomName, state);
        return { room, record: member };
      },
    }));
}
