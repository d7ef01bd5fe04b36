/**
 * Every code a client can see in `extensions.code`.
 *
 * This list is the contract: each edge (GraphQL, HTTP, WebSocket) maps it with a
 * `Record<ErrorCode, …>`, so a new code does not compile until every edge has an
 * answer for it.
 */
export const ERROR_CODES = [
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "BAD_USER_INPUT",
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "NOT_FOUND",
  "CURSOR_EXPIRED",
  "IDEMPOTENCY_KEY_REUSED",
  "RATE_LIMITED",
  "PAYLOAD_TOO_LARGE",
  "SUBSCRIPTION_LIMIT",
  "ROOM_LIMIT",
  "QUERY_TOO_COMPLEX",
  "ENGINE_UNAVAILABLE",
  "ENGINE_OUTCOME_UNKNOWN",
  "SHUTTING_DOWN",
  "INTERNAL_SERVER_ERROR",
] as const;

/** A code of {@linkcode ERROR_CODES}. */
export type ErrorCode = typeof ERROR_CODES[number];

/** What a {@linkcode RealtimeError} says beside its code and message. */
export interface RealtimeErrorDetails {
  /** When to try again, in milliseconds from now. Shown to clients. */
  readonly retryAfterMs?: number;
  /** The bound that was passed, in the unit the message names. Shown to clients. */
  readonly limit?: number;
  /** What caused it. Logged, never shown. */
  readonly cause?: unknown;
}

/**
 * An expected refusal, shown to clients as it is.
 *
 * Anything thrown that is not a `RealtimeError` is a bug: it is logged with an id
 * and reaches clients only as `INTERNAL_SERVER_ERROR`.
 */
export class RealtimeError extends Error {
  override readonly name = "RealtimeError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly limit: number | undefined;

  constructor(code: ErrorCode, message: string, details: RealtimeErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.limit = details.limit;
  }
}
