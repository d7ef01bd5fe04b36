import type { MemberPage } from "../core/presence.ts";
import { DEFAULT_PAGE } from "../core/history.ts";
import type { MessageView } from "../core/messages.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Builder } from "./builder.ts";
import { formatMemberCursor, parseMemberCursor } from "./member_cursor.ts";
import type { MemberRef, MemberSource } from "./member.ts";
import type { MessageRef } from "./message.ts";
import { checkPageSize, MAX_PAGE, pageOf } from "./page_size.ts";
import { addConnection, type Page, type PageInfoRef } from "./pagination.ts";

/** Members of a page nobody gave a size. */
const DEFAULT_MEMBERS = 100;

/** The type `Room`. */
export type RoomRef = ReturnType<typeof addRoom>;

/** The types `Room` refers to. */
export interface RoomRefs {
  readonly member: MemberRef;
  readonly message: MessageRef;
  readonly pageInfo: PageInfoRef;
}

/**
 * Adds `Room` and its connections.
 *
 * Its source is a room's name that has been looked at: whoever returns one has checked
 * that the viewer may read the room.
 */
export function addRoom(builder: Builder, { member, message, pageInfo }: RoomRefs) {
  const members = addConnection<MemberSource, MemberPageSource>(builder, {
    name: "Member",
    description: "A page of a room's members, in the order they joined.",
    node: member,
    pageInfo,
  });
  builder.objectField(members, "totalCount", (t) =>
    t.int({
      description: "How many members the room has in all.",
      resolve: ({ totalCount }) => totalCount,
    }));
  const messages = addConnection<MessageView>(builder, {
    name: "Message",
    description: "A page of what was sent to one room, without the messages to everyone; oldest first.",
    node: message,
    pageInfo,
  });
  return builder.objectRef<RoomName>("Room").implement({
    description: "A room. Every valid name is one: it needs no creation, and an empty room looks like a new one.",
    fields: (t) => ({
      id: t.id({
        description: "The room's name, in Unicode normal form C. Case counts.",
        resolve: (room) => room,
      }),
      memberCount: t.int({
        description: "How many users are members now, over all nodes.",
        resolve: async (room, _args, { rooms }) => (await rooms.members(room, { limit: 1 })).total,
      }),
      head: t.field({
        type: "Cursor",
        description: "Where the room's messages stand at this moment, in an empty room too. Read it, then subscribe " +
          "to `messages` after it: nothing falls in between.",
        resolve: (room, _args, { rooms }) => rooms.head(room),
      }),
      members: t.field({
        type: members,
        extensions: pageOf(DEFAULT_MEMBERS),
        description: "The members, longest there first. `BAD_USER_INPUT` for a page size out of range or a cursor " +
          "that is not from this list.",
        args: {
          first: t.arg.int({
            required: true,
            defaultValue: DEFAULT_MEMBERS,
            description: `How many at most, 1 to ${MAX_PAGE}.`,
          }),
          after: t.arg({
            type: "Cursor",
            description: "Begin behind this member; it works also when the member has left since.",
          }),
        },
        resolve: async (room, { first, after }, { rooms }) => {
          const limit = checkPageSize(first, "members");
          const range = typeof after === "string" ? { limit, after: parseMemberCursor(room, after) } : { limit };
          return memberPage(room, await rooms.members(room, range), "after" in range);
        },
      }),
      messages: t.field({
        type: messages,
        extensions: pageOf(DEFAULT_PAGE),
        description:
          `What the history still holds: by default the newest ${DEFAULT_PAGE}. Walk forward with \`first\` and \`after\`, ` +
          `back with \`last\` and \`before\`, at most ${MAX_PAGE} a page. History is bounded by count, age and bytes; ` +
          "`CURSOR_EXPIRED` when it no longer reaches the cursor.",
        args: {
          first: t.arg.int({ description: `The oldest so many, 1 to ${MAX_PAGE}; goes with \`after\`.` }),
          after: t.arg({ type: "Cursor", description: "Only what was sent after this." }),
          last: t.arg.int({ description: `The newest so many, 1 to ${MAX_PAGE}; goes with \`before\`.` }),
          before: t.arg({ type: "Cursor", description: "Only what was sent before this." }),
        },
        resolve: async (room, { first, after, last, before }, { rooms }) => {
          const range = { first: first ?? null, after: after ?? null, last: last ?? null, before: before ?? null };
          const { messages, ...page } = await rooms.history(room, range);
          return { ...page, edges: messages.map((node) => ({ node, cursor: node.cursor })) };
        },
      }),
    }),
  });
}

interface MemberPageSource extends Page<MemberSource> {
  readonly totalCount: number;
}

function memberPage(room: RoomName, { members, total, hasMore }: MemberPage, continued: boolean): MemberPageSource {
  return {
    edges: members.map((record) => ({ node: { room, record }, cursor: formatMemberCursor(room, record) })),
    hasNextPage: hasMore,
    // Whether those before it are still there would take another look; it began behind one.
    hasPreviousPage: continued,
    totalCount: total,
  };
}
