import type { Principal } from "./auth.ts";
import type { Caller } from "./caller.ts";
import { RealtimeError } from "./errors.ts";
import type { FeedRequest } from "./feed_request.ts";
import type { Follower } from "./membership_holds.ts";
import type { RoomName } from "./room_name.ts";
import type { Session } from "./sessions.ts";

/** A caller's subscription on a feed, as what may hold a membership and may lose its right. */
export class FeedFollower implements Follower {
  /** Null when it follows what goes to everyone alone. */
  readonly room: RoomName | null;
  readonly joins: boolean;
  readonly #caller: Caller;
  readonly #session: Session | undefined;
  readonly #end: (error: RealtimeError) => void;

  /** `end` is called when it may not go on; it is to end the subscription. */
  constructor(
    caller: Caller,
    { room, joins }: Pick<FeedRequest, "room" | "joins">,
    end: (error: RealtimeError) => void,
  ) {
    this.room = room;
    this.joins = joins;
    this.#caller = caller;
    this.#session = caller.session;
    this.#end = end;
  }

  /** Asked each time: the caller's session may be continued as another one. One without holds no membership. */
  get session(): Session {
    return (this.#caller.session ?? this.#session)!;
  }

  get principal(): Principal {
    return this.#caller.principal;
  }

  remove(reason: string | null): void {
    const why = reason === null ? "" : `: ${reason}`;
    this.end(new RealtimeError("FORBIDDEN", `Removed from room "${this.room}"${why}`));
  }

  end(error: RealtimeError): void {
    this.#end(error);
  }
}
