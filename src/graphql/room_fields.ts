import type { RoomPage } from "../core/engine.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Builder } from "./builder.ts";
import { formatListCursor, parseListCursor } from "./list_cursor.ts";
import { checkPageSize, MAX_PAGE, pageOf } from "./page_size.ts";
import { addConnection, type Page, type PageInfoRef } from "./pagination.ts";
import type { RoomRef } from "./room.ts";

/** The types the room fields refer to. */
export interface RoomFieldsRefs {
  readonly room: RoomRef;
  readonly pageInfo: PageInfoRef;
}

/** Adds the queries `room` and `rooms`. */
export function addRoomFields(builder: Builder, { room, pageInfo }: RoomFieldsRefs): void {
  builder.queryField("room", (t) =>
    t.field({
      type: room,
      description: "One room, also one that nobody has used yet. `FORBIDDEN` when you may not read it, " +
        "`BAD_USER_INPUT` when the name is not valid.",
      args: {
        room: t.arg.id({
          required: true,
          description: "The room's name: 1 to 128 characters without outer white space or control characters.",
        }),
      },
      resolve: (_root, args, { rooms, viewer }) => rooms.look(viewer, args.room),
    }));
  const connection = addConnection<RoomName>(builder, {
    name: "Room",
    description: "A page of rooms, sorted by name.",
    node: room,
    pageInfo,
  });
  builder.queryField("rooms", (t) =>
    t.field({
      type: connection,
      extensions: pageOf(DEFAULT_ROOMS),
      description: "The rooms that have a member or a kept message, sorted by name. Needs the scope `admin`: " +
        "`FORBIDDEN` without it. `BAD_USER_INPUT` for a page size out of range or a cursor that is not from this list.",
      args: {
        first: t.arg.int({
          required: true,
          defaultValue: DEFAULT_ROOMS,
          description: `How many at most, 1 to ${MAX_PAGE}.`,
        }),
        after: t.arg({ type: "Cursor", description: "Begin behind this room." }),
        prefix: t.arg.string({ description: "Only rooms whose name begins so; case counts." }),
      },
      resolve: async (_root, { first, after, prefix }, { rooms, viewer }) => {
        const limit = checkPageSize(first, "rooms");
        const mark = typeof after === "string" ? { after: parseListCursor(LIST, after, isMark)[0] } : {};
        const page = await rooms.list(viewer, { ...mark, prefix: prefix ?? "", limit });
        return roomPage(page, "after" in mark);
      },
    }));
}

/** Rooms of a page nobody gave a size. */
const DEFAULT_ROOMS = 50;
/** What the cursors of this list belong to. */
const LIST = "rooms";

function isMark(parts: readonly unknown[]): parts is readonly [RoomName] {
  return parts.length === 1 && typeof parts[0] === "string";
}

function roomPage({ rooms, hasMore }: RoomPage, continued: boolean): Page<RoomName> {
  return {
    edges: rooms.map((node) => ({ node, cursor: formatListCursor(LIST, [node]) })),
    hasNextPage: hasMore,
    // Whether those before it are still there would take another look; it began behind one.
    hasPreviousPage: continued,
  };
}
