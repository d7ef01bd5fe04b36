import type { Position } from "./position.ts";
import type { Presence } from "./presence.ts";
import type { RoomName } from "./room_name.ts";
import type { Stream } from "./stream.ts";

/**
 * What keeps the streams and the memberships, for one node or for many.
 *
 * One engine belongs to one node. Nodes that share an engine's storage (or, for the
 * memory engine, its core) see the same streams in the same order and the same
 * members. Everything above the engine is the same whether there is one node or ten:
 * an event reaches its own node's readers by the same road as everybody else's.
 *
 * Failure is told in two words (`RealtimeError` codes): `ENGINE_UNAVAILABLE` means
 * the call was not executed and may be repeated; `ENGINE_OUTCOME_UNKNOWN` means it
 * may have been, so only a call with a key may be repeated.
 */
export interface Engine {
  /** What `Server.engine` answers: `memory`, `redis`. */
  readonly name: string;
  readonly log: StreamLog;
  readonly presence: Presence;
  readonly receipts: Receipts;
  readonly directory: RoomDirectory;
  /** Called once, before anything else. Rejects, with a reason for the operator, when the node cannot work. */
  open(): Promise<void>;
  /** Called once, last. Afterwards nothing of this node is left: no subscription, timer or membership. */
  close(): Promise<void>;
}

/** Ordered logs with a bounded memory, and their live delivery. */
export interface StreamLog {
  /**
   * Appends one entry and delivers it to every subscription on every node, as one step.
   *
   * Resolves with the entry's position once the engine holds it. Subscriptions may be
   * called before or after that. `text` comes back exactly as given.
   *
   * @throws {RealtimeError} `IDEMPOTENCY_KEY_REUSED` when the key was used with another
   * fingerprint; otherwise as {@linkcode Engine} says.
   * @throws the signal's reason when it was aborted before the entry was handed over;
   * then nothing was appended.
   */
  publish(stream: Stream, text: string, options?: PublishOptions): Promise<Published>;

  /**
   * Delivers everything appended from now on, in order, until closed.
   *
   * Resolves once live, with the position the delivery starts after: nothing up to it
   * is delivered, everything after it is (also while the promise is on its way to the
   * caller). Faults of the network may make a delivery skip or repeat entries; each
   * entry carries what it takes to notice. Listeners are called synchronously, never
   * one entry inside another, and one that throws harms nobody else.
   */
  subscribe(stream: Stream, listener: StreamListener): Promise<StreamSubscription>;

  /** Reads kept entries, oldest first. Never waits for new ones. */
  read(stream: Stream, range: ReadRange): Promise<StreamPage>;

  /** Where the stream stands. A stream nobody has written to gets its epoch here. */
  top(stream: Stream): Promise<Position>;
}

/** One entry of a stream. */
export interface StreamEntry {
  readonly position: Position;
  /** `timeUs` of the entry before this one (0 for the first): proves that the log did not fork in between. */
  readonly previousTimeUs: number;
  readonly text: string;
  /**
   * Delivered in its turn and not kept: it has no position of its own, `position` is
   * that of the entry before it, and no read finds it.
   */
  readonly transient?: true;
}

/** Called with each entry, in order. Must not await and must not publish into the same stream forever. */
export type StreamListener = (entry: StreamEntry) => void;

/** An open delivery. */
export interface StreamSubscription {
  /** Delivery starts after this position. */
  readonly start: Position;
  /** Ends the delivery at once; calling it twice is safe. */
  close(): void;
}

/** How to publish. */
export interface PublishOptions {
  /** Makes the entry happen once: a repeat with the same key answers with the first position. */
  readonly idempotency?: Idempotency;
  readonly signal?: AbortSignal;
}

/** An idempotency key of one stream. */
export interface Idempotency {
  /** Already holds who sent it: two senders may choose the same key. */
  readonly key: string;
  /** What the key stands for; the same key with another fingerprint is refused. */
  readonly fingerprint: string;
  /** How long the key is remembered, in milliseconds. */
  readonly ttlMs: number;
}

/** The answer to a publish. */
export interface Published {
  readonly position: Position;
  /** True when the key was known: nothing was appended, and `position` is the first one's. */
  readonly duplicate: boolean;
}

/** Which entries to read: the oldest after a position, the newest before one, or the newest. */
export interface ReadRange {
  /** Exclusive; not together with `before`. */
  readonly after?: Position;
  /** Exclusive; not together with `after`. */
  readonly before?: Position;
  /** At most so many entries. */
  readonly limit: number;
  /** At most so many bytes of UTF-8, but always the first entry. @default no bound */
  readonly maxBytes?: number;
}

/**
 * Why a stream cannot be continued from a position.
 *
 * `EPOCH`: the log was lost and began anew. `TRIMMED`: entries in between are no
 * longer kept. `LOST`: the position was never reached, or the log forked below it.
 */
export type ResetReason = "EPOCH" | "TRIMMED" | "LOST";

/** What a read found. */
export interface StreamPage {
  /** Oldest first. After a reset: from the oldest entry kept. */
  readonly entries: readonly StreamEntry[];
  /** Where the stream stood at the time of the read. */
  readonly top: Position;
  /** Why `after` or `before` cannot be continued from, or null when the entries join it without a hole. */
  readonly reset: ResetReason | null;
  /** Whether entries older than the page's first are kept. */
  readonly hasOlder: boolean;
}

/**
 * How far clients have got, for those that come back without saying it.
 *
 * Kept for two minutes from the last write, and bounded in number; a receipt that is
 * gone is no error, only a resume that starts from now.
 */
export interface Receipts {
  /** Writes receipts, each over the one its operation had. */
  put(receipts: readonly Receipt[]): Promise<void>;
  /** The receipt of an operation, or undefined. */
  get(operationId: string): Promise<Receipt | undefined>;
  /** Forgets the receipts of operations that have ended. */
  remove(operationIds: readonly string[]): Promise<void>;
}

/** How far one operation's client has got. */
export interface Receipt {
  readonly operationId: string;
  /** Everything up to this cursor has reached the client. */
  readonly cursor: string;
  /** Stands for the document and its variables: another operation has no part in it. */
  readonly fingerprint: string;
  /** Whose it is. A guest without a name is known by the operation alone. */
  readonly userId: string;
  /** The session it ran in, which its return continues. */
  readonly sessionId: string;
  /** The rooms that session had joined. */
  readonly rooms: readonly RoomName[];
  /** Whether the client has ever answered a Ping: one that never does goes nowhere, and its receipt is not kept on. */
  readonly answered: boolean;
}

/** How long a receipt is kept after its last write, in milliseconds. */
export const RECEIPT_TTL_MS = 120_000;

/** Which rooms there are, over all nodes. */
export interface RoomDirectory {
  /** Rooms with a member or a kept message, sorted by name. */
  rooms(range: RoomRange): Promise<RoomPage>;
}

/** Which rooms to list. */
export interface RoomRange {
  /** Begin behind this name, whether or not there is such a room; absent: from the first. */
  readonly after?: RoomName;
  /** Only names that begin like this. */
  readonly prefix: string;
  readonly limit: number;
}

/** One page of rooms. */
export interface RoomPage {
  readonly rooms: readonly RoomName[];
  readonly hasMore: boolean;
}
