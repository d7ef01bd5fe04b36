import type { Caller } from "../core/caller.ts";
import type { Rooms } from "../core/rooms.ts";

/** What every resolver gets. */
export interface Context {
  /** The same for everyone. */
  readonly rooms: Rooms;
  /**
   * Who is asking. Everything that belongs to one caller hangs here and nowhere else:
   * a live selection that touches it is not shared between viewers.
   */
  readonly viewer: Caller;
  /**
   * The operation's id, where the client made it unique: it has the same one when it
   * sends the operation again, because its socket died before the answer.
   */
  readonly operationId?: string;
}
