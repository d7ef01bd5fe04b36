import { notImplemented } from "../core/errors.ts";
import type { RoomName } from "../core/room_name.ts";
import type { Builder } from "./builder.ts";
import { addConnection, type PageInfoRef } from "./pagination.ts";
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
      description: "The rooms that have a member or a message. Needs the scope `admin`. " +
        "Not built yet: `NOT_IMPLEMENTED`.",
      args: {
        first: t.arg.int({ required: true, defaultValue: 50, description: "How many at most." }),
        after: t.arg({ type: "Cursor", description: "Begin behind this room." }),
        prefix: t.arg.string({ description: "Only rooms whose name begins so; case counts." }),
      },
      resolve: () => {
        throw notImplemented("Query.rooms");
      },
    }));
}
