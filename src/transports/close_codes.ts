import type { ErrorCode } from "../core/errors.ts";

/**
 * Why this server closes a WebSocket.
 *
 * The numbers decide what a stock client does next. It comes back after 1012 and 1013;
 * after 1009, 4400, 4401, 4406, 4409, 4429 and 4500 it gives up for good (WebSocket
 * close codes, RFC 6455 section 7.4; graphql-transport-ws protocol).
 */
export const CLOSE_CODES = {
  /** A frame or the connection_init is larger than allowed. */
  messageTooBig: 1009,
  /** The server is going down or restarting: come back, to another or a new one. */
  serviceRestart: 1012,
  /** Too much to do, or the reader is too slow: come back. */
  tryAgainLater: 1013,
  badRequest: 4400,
  unauthorized: 4401,
  /** The token has expired: come back with another. Stock clients ask for new connectionParams and do. */
  tokenExpired: 4403,
  connectionInitialisationTimeout: 4408,
  subscriberAlreadyExists: 4409,
  internalServerError: 4500,
} as const;

/** How a connection that fails to come in is closed, by what refused it. */
export const CONNECT_REFUSALS: Readonly<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: CLOSE_CODES.unauthorized,
  FORBIDDEN: CLOSE_CODES.unauthorized,
  BAD_USER_INPUT: CLOSE_CODES.badRequest,
  GRAPHQL_PARSE_FAILED: CLOSE_CODES.badRequest,
  GRAPHQL_VALIDATION_FAILED: CLOSE_CODES.badRequest,
  NOT_FOUND: CLOSE_CODES.unauthorized,
  CURSOR_EXPIRED: CLOSE_CODES.badRequest,
  IDEMPOTENCY_KEY_REUSED: CLOSE_CODES.badRequest,
  PAYLOAD_TOO_LARGE: CLOSE_CODES.messageTooBig,
  QUERY_TOO_COMPLEX: CLOSE_CODES.badRequest,
  RATE_LIMITED: CLOSE_CODES.tryAgainLater,
  SUBSCRIPTION_LIMIT: CLOSE_CODES.tryAgainLater,
  ROOM_LIMIT: CLOSE_CODES.tryAgainLater,
  ENGINE_UNAVAILABLE: CLOSE_CODES.tryAgainLater,
  ENGINE_OUTCOME_UNKNOWN: CLOSE_CODES.tryAgainLater,
  SHUTTING_DOWN: CLOSE_CODES.serviceRestart,
  INTERNAL_SERVER_ERROR: CLOSE_CODES.internalServerError,
};
