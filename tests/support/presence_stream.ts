import { HttpStream } from "./http_stream.ts";
import type { ModelFollower } from "./membership_model.ts";
import { FOLLOWING, type FollowingKind } from "./presence_tab.ts";
import type { ModelSession, SessionHolder, UserModel } from "./user_model.ts";

/** How a stream is opened. */
export interface StreamOpening {
  readonly user: UserModel;
  readonly kind: FollowingKind;
  /** Undefined: it names none, and is in one of its own. */
  readonly sessionId: string | undefined;
}

/** What all streams share. */
export interface StreamWorld {
  readonly url: string;
  /** Streams that are open. */
  readonly streams: Set<PresenceStream>;
  /** Resolves when the server has noticed that one more has ended. */
  streamClosed(): Promise<void>;
}

/** A subscription over HTTP, and the model of it. */
export class PresenceStream implements SessionHolder, AsyncDisposable {
  readonly user: UserModel;
  session: ModelSession;
  readonly #world: StreamWorld;
  readonly #stream: HttpStream;
  readonly #follower: ModelFollower;

  private constructor(world: StreamWorld, stream: HttpStream, { user, kind, sessionId }: StreamOpening) {
    this.user = user;
    this.#world = world;
    this.#stream = stream;
    this.session = user.connect(sessionId ?? crypto.randomUUID());
    this.#follower = user.follow(this, FOLLOWING[kind].joins);
    world.streams.add(this);
  }

  static async open(world: StreamWorld, opening: StreamOpening): Promise<PresenceStream> {
    const { user: { userId }, kind, sessionId } = opening;
    const named: Record<string, string> = sessionId === undefined ? {} : { "x-session-id": sessionId };
    const headers = { accept: "text/event-stream", "x-user-id": userId, ...named };
    return new PresenceStream(
      world,
      await HttpStream.subscribe(world.url, FOLLOWING[kind].query, { headers }),
      opening,
    );
  }

  /** Ends by itself, or has been ended by the server. */
  async end(): Promise<void> {
    this.#world.streams.delete(this);
    await this[Symbol.asyncDispose]();
    await this.#world.streamClosed();
    this.user.unfollow(this.#follower, "DISCONNECTED");
    this.user.disconnect(this.session);
  }

  /** Breaks off, whatever the model says. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}
