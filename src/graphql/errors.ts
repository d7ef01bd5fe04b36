import { ulid } from "@std/ulid";
import { GraphQLError, Kind } from "graphql";
import { ERROR_CODES, type ErrorCode, RealtimeError } from "../core/errors.ts";
import { describeError, type LogFields, type Telemetry } from "../core/telemetry.ts";

/** Makes anything that was thrown into what a client may see. */
export type ErrorMask = (error: unknown) => GraphQLError;

/** Who has to change something before the same operation can succeed. */
export type Fault = "caller" | "server";

/** Whose fault each code is: a caller's is worth a debug line, the server's a warning. */
export const FAULTS: Readonly<Record<ErrorCode, Fault>> = {
  UNAUTHENTICATED: "caller",
  FORBIDDEN: "caller",
  BAD_USER_INPUT: "caller",
  GRAPHQL_PARSE_FAILED: "caller",
  GRAPHQL_VALIDATION_FAILED: "caller",
  NOT_FOUND: "caller",
  CURSOR_EXPIRED: "caller",
  IDEMPOTENCY_KEY_REUSED: "caller",
  RATE_LIMITED: "caller",
  PAYLOAD_TOO_LARGE: "caller",
  SUBSCRIPTION_LIMIT: "caller",
  ROOM_LIMIT: "caller",
  QUERY_TOO_COMPLEX: "caller",
  ENGINE_UNAVAILABLE: "server",
  ENGINE_OUTCOME_UNKNOWN: "server",
  SHUTTING_DOWN: "server",
  INTERNAL_SERVER_ERROR: "server",
};

/**
 * Makes the mask through which every error of a GraphQL operation leaves the server.
 *
 * A refusal (`RealtimeError`) keeps its message and gets its code; so does what
 * graphql-js says about the caller's own document and variables. Anything else is a
 * bug: it is logged under a new id, and the client learns the id and nothing more.
 * Masking what has been masked changes nothing.
 */
export function createErrorMask(telemetry: Telemetry): ErrorMask {
  const masked = new WeakSet<GraphQLError>();

  return (error) => {
    if (error instanceof GraphQLError && masked.has(error)) return error;
    const shown = present(error);
    masked.add(shown);
    return shown;
  };

  function present(error: unknown): GraphQLError {
    const place = error instanceof GraphQLError ? error : undefined;
    const root = rootOf(error);
    if (root instanceof RealtimeError && root.code !== "INTERNAL_SERVER_ERROR") {
      const level = FAULTS[root.code] === "server" ? "warn" : "debug";
      telemetry.record(level, "graphql.refused", { code: root.code, ...logPlace(place), ...logCause(root) });
      return refusal(root, place);
    }
    if (root instanceof GraphQLError) {
      const text = place ?? root;
      if (isShownCode(root.extensions["code"])) return rebuild(text, { place, extensions: root.extensions });
      if (isAboutInput(root, place)) return withCode(text, "BAD_USER_INPUT");
    }
    const errorId = ulid();
    const fields = { errorId, ...logPlace(place), error: describeError(root), ...logCause(root) };
    telemetry.record("error", "graphql.internal_error", fields);
    return rebuild(new GraphQLError("Internal server error"), {
      place,
      extensions: { code: "INTERNAL_SERVER_ERROR", errorId },
    });
  }
}

/**
 * The same error with a code, for callers that know the phase it comes from.
 *
 * `GRAPHQL_PARSE_FAILED` for syntax, `GRAPHQL_VALIDATION_FAILED` for validation,
 * `BAD_USER_INPUT` for variables and arguments. What caused it is left behind.
 */
export function withCode(error: GraphQLError, code: ErrorCode): GraphQLError {
  return rebuild(error, { place: error, extensions: { ...error.extensions, code } });
}

/** Refuses a document or an operation for what it would cost. */
export function tooComplex(message: string, limit: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "QUERY_TOO_COMPLEX" satisfies ErrorCode, limit } });
}

/** What graphql-js wrapped, or the error itself when nothing. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof GraphQLError && root.originalError !== undefined) root = root.originalError;
  return root;
}

function refusal(error: RealtimeError, place: GraphQLError | undefined): GraphQLError {
  const { code, retryAfterMs, limit } = error;
  return rebuild(error, {
    place,
    extensions: {
      code,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(limit === undefined ? {} : { limit }),
    },
  });
}

interface Rebuilding {
  /** The error that knows where in the document and in the result it happened. */
  readonly place: GraphQLError | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** A new error, because an old one would carry what it wraps, and its stack, wherever it goes. */
function rebuild({ message }: Error, { place, extensions }: Rebuilding): GraphQLError {
  return new GraphQLError(message, {
    nodes: place?.nodes ?? null,
    source: place?.source ?? null,
    positions: place?.positions ?? null,
    path: place?.path ?? null,
    extensions: { ...extensions },
  });
}

/** A code that somebody chose knowing that clients see it. */
function isShownCode(code: unknown): boolean {
  return code !== "INTERNAL_SERVER_ERROR" && (ERROR_CODES as readonly unknown[]).includes(code);
}

/**
 * Whether graphql-js blames what the caller sent, and not what a resolver returned.
 *
 * It has no code for this. Without a path nothing was executed yet: the operation name
 * or a variable is wrong. With one, an argument's error points at the argument's value,
 * while all that concerns a result points at a field or nowhere.
 */
function isAboutInput(root: GraphQLError, place: GraphQLError | undefined): boolean {
  if (place?.path === undefined) return true;
  return root.nodes !== undefined && root.nodes.every(({ kind }) => INPUT_KINDS.has(kind));
}

const INPUT_KINDS: ReadonlySet<Kind> = new Set([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
  Kind.OBJECT_FIELD,
]);

function logPlace(place: GraphQLError | undefined): LogFields {
  return place?.path === undefined ? {} : { path: place.path.join(".") };
}

/** A stack does not tell what caused it. */
function logCause(error: unknown): LogFields {
  return error instanceof Error && error.cause !== undefined ? { cause: describeError(error.cause) } : {};
}
