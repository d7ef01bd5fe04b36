import type { DeliveredMessage, LossNotice } from "./history_checker.ts";

/** A kind of client, as a run of cuts knows it. */
export interface CutClientKind {
  readonly name: string;
  /** Whether it tries again when its connection is refused or ends before it is open. */
  readonly survivesRefusal: boolean;
  /** Whether the server tells it where its subscriptions are, the first time before any message. */
  readonly isTold: boolean;
  /** Whether a repeat across a reconnect is a fault too. */
  readonly exactlyOnce: boolean;
  create(deps: CutClientDeps): CutClient;
}

/** What a client is created with. */
export interface CutClientDeps {
  /** Where the server is, over HTTP; to be asked anew for each connection, where the client can. */
  readonly url: () => string;
  readonly userId: string;
  /** In place of the client's own wait before it tries again: how long it is away, is the run's to say. */
  readonly mayReturn: () => Promise<void>;
  /** To be called when a connection is open, before the server has acknowledged it. */
  readonly onOpened: () => void;
}

/** One client, which follows rooms. Disposing of it waits until nothing of it is open. */
export interface CutClient extends AsyncDisposable {
  /** Follows a room's messages; what it returns ends that. */
  follow(room: string, sink: CutSink): () => void;
  /** Leaves its connection without a word that must reach the server, and makes another. */
  leave?(): void;
}

/** Where a client puts what one of its subscriptions brings. */
export interface CutSink {
  /** There is a connection, the first or a new one. */
  connected(): void;
  /** The server has told where it is, which a client answers: it is live, and has a receipt. */
  told(): void;
  /** What the extensions of the message that comes next say, when `delivered` cannot know. */
  noticed(notice: LossNotice): void;
  delivered(message: DeliveredMessage, notice?: LossNotice): void;
  /** It has ended, and does not come back. */
  failed(error: unknown): void;
}
