import type { Caller } from "./caller.ts";
import { RealtimeError } from "./errors.ts";
import type { Follower } from "./membership_holds.ts";
import type { RoomName } from "./room_name.ts";
import type { Session } from "./sessions.ts";

/** How a caller follows a room. */
export interface RoomFollowing {
  readonly room: RoomName;
  readonly joins: boolean;
  /** Called when the caller's user is removed from the room; it is to end the subscription. */
  readonly remove: (error: RealtimeError) => void;
}

/** A caller's subscription on a room, as what may hold a membership. */
export class RoomFollower implements Follower {
  readonly #caller: Caller;
  readonly #session: Session;
  readonly #room: RoomName;
  readonly #remove: RoomFollowing["remove"];
  readonly joins: boolean;

  /** `session` is the caller's as it begins. */
  constructor(caller: Caller, session: Session, { room, joins, remove }: RoomFollowing) {
    this.#caller = caller;
    this.#session = session;
    this.#room = room;
    this.#remove = remove;
    this.joins = joins;
  }

  /** Asked each time: the caller's session may be continued as another one. */
  get session(): Session {
    return this.#caller.session ?? this.#session;
  }

  remove(reason: string | null): void {
    const why = reason === null ? "" : `: ${reason}`;
    this.#remove(new RealtimeError("FORBIDDEN", `Removed from room "${this.#room}"${why}`));
  }
}
