import type { ServerResponse } from "node:http";
import type { ErrorCode, RealtimeError } from "../core/errors.ts";

/** The status of an answer that refuses a request before any GraphQL is run. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_USER_INPUT: 400,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  NOT_FOUND: 404,
  CURSOR_EXPIRED: 410,
  IDEMPOTENCY_KEY_REUSED: 409,
  RATE_LIMITED: 429,
  PAYLOAD_TOO_LARGE: 413,
  SUBSCRIPTION_LIMIT: 429,
  ROOM_LIMIT: 429,
  QUERY_TOO_COMPLEX: 400,
  ENGINE_UNAVAILABLE: 503,
  ENGINE_OUTCOME_UNKNOWN: 503,
  SHUTTING_DOWN: 503,
  INTERNAL_SERVER_ERROR: 500,
};

/** Refuses a request in the form every GraphQL client reads: `{"errors":[…]}`. */
export function answerError(response: ServerResponse, error: RealtimeError, status = HTTP_STATUS[error.code]): void {
  const { code, message, limit, retryAfterMs } = error;
  // What a 401 must say (RFC 9110 section 15.5.2, RFC 6750 section 3).
  if (status === 401) response.setHeader("www-authenticate", "Bearer");
  if (retryAfterMs !== undefined) response.setHeader("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  answerJson(response, status, { errors: [{ message, extensions: { code, limit, retryAfterMs } }] });
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
  });
  response.end(JSON.stringify(body) + "\n");
}
