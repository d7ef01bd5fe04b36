import type { RoomPage, RoomRange } from "../core/engine.ts";
import type { RoomName } from "../core/room_name.ts";
import { messagesOf, roomOf } from "../core/stream.ts";
import type { MemoryLog } from "./memory_log.ts";
import type { MemoryPresence } from "./memory_presence.ts";

/** The rooms of a memory core, gathered when somebody asks: nobody pays for it who does not. */
export class MemoryDirectory {
  readonly #log: MemoryLog;
  readonly #presence: MemoryPresence;

  constructor(log: MemoryLog, presence: MemoryPresence) {
    this.#log = log;
    this.#presence = presence;
  }

  /** As {@linkcode RoomDirectory.rooms}, at once. */
  rooms({ after, prefix, limit }: RoomRange): RoomPage {
    const names = new Set<RoomName>();
    const add = (room: RoomName): void => {
      if (room.startsWith(prefix) && (after === undefined || room > after)) names.add(room);
    };
    for (const room of this.#presence.rooms) add(room);
    for (const stream of this.#log.filled()) {
      const room = roomOf(stream);
      if (room !== null && stream === messagesOf(room)) add(room);
    }
    const sorted = [...names].sort();
    return { rooms: sorted.slice(0, limit), hasMore: sorted.length > limit };
  }
}
