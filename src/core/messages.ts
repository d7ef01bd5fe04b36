import { type Caller, GUEST_PREFIX } from "./caller.ts";
import { formatCursor } from "./cursor.ts";
import { type PublishOptions, RECEIPT_TTL_MS, StreamLog } from "./engine.ts";
import { RealtimeError } from "./errors.ts";
import { encodeEvent, type MessageSent, type Publication } from "./event.ts";
import { everyoneFeed, messagesFeed } from "./feed.ts";
import { shortHash } from "./hash.ts";
import { isDeeperThan } from "./json_depth.ts";
import type { Position } from "./position.ts";
import type { RoomName } from "./room_name.ts";
import { EVERYONE, messagesOf } from "./stream.ts";
import { utf8Length } from "./utf8_length.ts";

/** What somebody wants to say. */
export interface MessageRequest {
  /** Null: to everyone. */
  readonly room: RoomName | null;
  readonly content: string;
  readonly event: string | null;
  readonly data: unknown;
  /** Not to the session that sends it. */
  readonly excludeSelf: boolean;
  readonly idempotencyKey: string | null;
  /**
   * What this attempt is known by when the sender gave no key: a client that sends its
   * operation again, because the socket died under it, has the same one. Absent: nothing.
   */
  readonly attempt?: string | undefined;
}

/** A message with its place, as its sender and its readers see it. */
export interface MessageView {
  readonly publication: Publication<MessageSent>;
  readonly cursor: string;
}

/** The answer to a message request. */
export interface SentMessage {
  readonly view: MessageView;
  /** True when the idempotency key was known: `view` is the first message. */
  readonly duplicate: boolean;
}

/** What sending needs. */
export interface SendMessageDeps {
  readonly log: StreamLog;
  /** Where the messages to everyone stand on this node. */
  readonly everyonePosition: () => Position;
  /** The most bytes of content and data together, as UTF-8. */
  readonly maxMessageBytes: number;
}

/** How long an idempotency key is remembered, in milliseconds; and what an attempt is known by. */
const KEY_TTL_MS = 300_000;
const ATTEMPT_TTL_MS = RECEIPT_TTL_MS;
const MAX_KEY_LENGTH = 64;
const MAX_EVENT_LENGTH = 128;
/** Arrays and objects of a message's data, one within the other. */
export const MAX_DATA_LEVELS = 32;

/**
 * Sends a message that has been authorized.
 *
 * @throws {RealtimeError} `BAD_USER_INPUT`, `PAYLOAD_TOO_LARGE` before anything
 * happens; `IDEMPOTENCY_KEY_REUSED` and the engine's own codes from publishing.
 */
export async function sendMessage(
  caller: Caller,
  request: MessageRequest,
  deps: SendMessageDeps,
): Promise<SentMessage> {
  checkRequest(caller, request, deps.maxMessageBytes);
  const event: MessageSent = {
    kind: "message",
    senderId: caller.principal.userId,
    content: request.content,
    event: request.event,
    data: request.data,
    idempotencyKey: request.idempotencyKey,
    excludedSessionId: request.excludeSelf ? caller.sessionId : null,
  };
  const stream = request.room === null ? EVERYONE : messagesOf(request.room);
  const { position, duplicate } = await deps.log.publish(
    stream,
    encodeEvent(event),
    idempotencyOf(event.senderId, request),
  );
  const everyone = deps.everyonePosition();
  const view = {
    // A repeat has the first one's arguments (the fingerprint says so) and position,
    // and everything else of a message follows from those.
    publication: { stream, position, event },
    // Written when somebody asks for it: most senders do not.
    get cursor() {
      return request.room === null
        ? formatCursor(everyoneFeed(), [position])
        : formatCursor(messagesFeed(request.room), [position, everyone]);
    },
  };
  return { view, duplicate };
}

function idempotencyOf(senderId: string, request: MessageRequest): PublishOptions {
  const { idempotencyKey, attempt } = request;
  if (idempotencyKey === null && attempt === undefined) return {};
  const hash = fingerprint(request);
  if (idempotencyKey !== null) {
    return { idempotency: { key: `${senderId}\0${idempotencyKey}`, fingerprint: hash, ttlMs: KEY_TTL_MS } };
  }
  // The arguments belong to the key: the same id with others is another message, not a
  // mistake. A guest without a name comes back as another one.
  const sender = senderId.startsWith(GUEST_PREFIX) ? "" : senderId;
  return { idempotency: { key: `${sender}\0\0${attempt}\0${hash}`, fingerprint: hash, ttlMs: ATTEMPT_TTL_MS } };
}

function checkRequest(caller: Caller, request: MessageRequest, maxMessageBytes: number): void {
  const { event, idempotencyKey } = request;
  if (idempotencyKey !== null && (idempotencyKey === "" || idempotencyKey.length > MAX_KEY_LENGTH)) {
    throw refuse(`an idempotencyKey of ${idempotencyKey.length} characters`, `must have 1 to ${MAX_KEY_LENGTH}`);
  }
  if (event !== null && (event === "" || event.length > MAX_EVENT_LENGTH)) {
    throw refuse(`an event name of ${event.length} characters`, `must have 1 to ${MAX_EVENT_LENGTH}`);
  }
  if (request.excludeSelf && !caller.namesSession) {
    throw refuse("excludeSelf", "this request names no session, send the x-session-id header with it");
  }
  if (isDeeperThan(request.data, MAX_DATA_LEVELS)) {
    throw refuse("data nested this deep", `must have at most ${MAX_DATA_LEVELS} levels of arrays and objects`);
  }
  const data = request.data === null ? "" : JSON.stringify(request.data);
  // Three bytes a character is the most: short ones need no counting.
  if ((request.content.length + data.length) * 3 <= maxMessageBytes) return;
  const bytes = utf8Length(request.content) + utf8Length(data);
  if (bytes > maxMessageBytes) {
    throw new RealtimeError(
      "PAYLOAD_TOO_LARGE",
      `Cannot send ${bytes} bytes of content and data: at most ${maxMessageBytes} are allowed`,
      { limit: maxMessageBytes },
    );
  }
}

function refuse(what: string, reason: string): RealtimeError {
  return new RealtimeError("BAD_USER_INPUT", `Cannot send with ${what}: ${reason}`);
}

function fingerprint(request: MessageRequest): string {
  return shortHash(JSON.stringify([request.content, request.event, request.data, request.excludeSelf]));
}
