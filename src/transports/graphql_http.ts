import type { IncomingMessage, ServerResponse } from "node:http";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Caller } from "../core/caller.ts";
import { RealtimeError } from "../core/errors.ts";
import { isDeeperThan } from "../core/json_depth.ts";
import type { Rooms } from "../core/rooms.ts";
import { describeError, type Telemetry } from "../core/telemetry.ts";
import type { Context } from "../graphql/context.ts";
import { MAX_VARIABLE_LEVELS } from "../graphql/check_variables.ts";
import type { OperationRequest, Operations, PreparedOperation } from "../graphql/operations.ts";
import type { GraphQLError, GraphQLSchema } from "graphql";
import { answerLimit, answerTooLarge, isOver } from "./answer_limit.ts";
import type { DocumentTurns } from "./document_turns.ts";
import { givesUpWhenRefused, type GraphqlStreams } from "./graphql_stream.ts";
import { answerError, answerJson, HTTP_STATUS } from "./http_error.ts";
import { type IdentifyDeps, identifyRequest } from "./identify.ts";
import { GRAPHQL_PATH } from "./paths.ts";
import { isJsonType, readBody } from "./request_body.ts";
import { isSentByForeignTag } from "./same_site.ts";
import { readToken } from "./token_carriers.ts";

/** What GraphQL over HTTP needs. */
export interface GraphqlHttpDeps extends IdentifyDeps {
  readonly schema: GraphQLSchema;
  readonly operations: Operations;
  readonly turns: DocumentTurns;
  readonly streams: GraphqlStreams;
  readonly rooms: Rooms;
  readonly telemetry: Telemetry;
  /** Makes what was thrown presentable. */
  readonly mask: (error: unknown) => GraphQLError;
  readonly maxBodyBytes: number;
  /** Bytes that may wait for a reader; one answer may have half as many. */
  readonly outboxBytes: number;
}

/** Answers one request to the GraphQL path. Never rejects. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Queries and mutations over HTTP: GraphQL Yoga, behind our own reading of the body.
 *
 * The body is read here, bounded, because only the operation tells a subscription from
 * the rest. Yoga is handed what was parsed, checked and is to be run by the same rules as
 * on every other transport.
 */
export function createGraphqlHttp(deps: GraphqlHttpDeps): HttpHandler {
  const yoga = createYoga<HttpContext>({
    schema: deps.schema,
    graphqlEndpoint: GRAPHQL_PATH,
    graphiql: false,
    landingPage: false,
    healthCheckEndpoint: "/unused-health-path",
    cors: false,
    logging: false,
    batching: false,
    multipart: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError: (error) => deps.mask(error) },
    plugins: [createOperationsPlugin(deps)],
  });

  return async (request, response) => {
    try {
      if (request.method !== "GET" && request.method !== "POST") {
        throw methodNotAllowed(request, response, "GET, POST");
      }
      if (deps.authenticator.needsToken && readToken(request, deps.tokenCookie) === undefined) {
        // Who brings nothing is refused whatever the body says: it is not kept, but thrown away as it comes.
        await identifyRequest(request, response, deps);
      }
      const asked = request.method === "POST" ? await readPost(request, deps.maxBodyBytes) : readGet(request);
      // Nobody hears what is wrong with a document before it is known who asks.
      const viewer = await identifyRequest(request, response, deps);
      const prepared = asked === undefined ? undefined : await prepare(asked, viewer);
      const operation = prepared?.operation;
      if (operation?.kind === "mutation" && request.method === "GET") throw methodNotAllowed(request, response, "POST");
      // What is asked decides, not what is accepted: some clients accept a stream for everything.
      if (operation?.kind === "subscription") {
        if (isSentByForeignTag(request)) throw foreignTag();
        return await deps.streams.serve(request, response, operation, viewer);
      }
      if (prepared?.errors !== undefined && givesUpWhenRefused(request)) {
        // Yoga's answer, a stream that ends at once, would have it ask again for ever.
        return answerJson(response, 400, { errors: prepared.errors.map(deps.mask) });
      }
      // Yoga takes a body that was read before it from here.
      if (request.method === "POST") Object.assign(request, { body: asked });
      await yoga(request, response, { rooms: deps.rooms, viewer, prepared });
    } catch (error) {
      refuse(request, response, error);
    }
  };

  async function prepare(asked: OperationRequest, viewer: Caller): Promise<PreparedOperation> {
    const { variables } = asked;
    if (variables !== undefined && variables !== null && (typeof variables !== "object" || Array.isArray(variables))) {
      throw new RealtimeError("BAD_USER_INPUT", "Cannot read the variables: must be one JSON object");
    }
    // Requests have no order: only what is new waits.
    if (!deps.operations.knows(asked.query)) await deps.turns.enter(viewer.address, asked.query);
    return deps.operations.prepare(asked, viewer);
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // Half an answer, or nobody there to have one.
    if (response.headersSent || response.destroyed || isGone(request)) return void response.destroy();
    if (error instanceof RealtimeError) {
      // Else it would never come back.
      if (error.code === "RATE_LIMITED" && givesUpWhenRefused(request)) return void response.destroy();
      const status = error instanceof HttpRefusal ? error.status : HTTP_STATUS[error.code];
      deps.telemetry.record("info", "request.refused", { code: error.code, status, reason: error.message });
      // What was not read of the body must not be taken for the next request.
      if (error.code === "PAYLOAD_TOO_LARGE") response.setHeader("connection", "close");
      return answerError(response, error, status);
    }
    deps.telemetry.record("error", "http.failed", { error: describeError(error) });
    answerError(response, new RealtimeError("INTERNAL_SERVER_ERROR", "Internal server error"));
  }
}

/** Arrays and objects one within the other: the body, its variables and what those may be. */
const MAX_BODY_LEVELS = 1 + MAX_VARIABLE_LEVELS;

/** A refusal of the request itself, for which HTTP has a status of its own. */
class HttpRefusal extends RealtimeError {
  constructor(readonly status: number, message: string) {
    super("BAD_USER_INPUT", message);
  }
}

function methodNotAllowed({ method }: IncomingMessage, response: ServerResponse, allowed: string): HttpRefusal {
  response.setHeader("allow", allowed);
  return new HttpRefusal(405, `Cannot answer ${method}: must be ${allowed.replace(", ", " or ")}`);
}

/** A subscription can make its user a member of a room: nobody is to become one by a link. */
function foreignTag(): RealtimeError {
  return new RealtimeError("FORBIDDEN", "Cannot subscribe from another site by a link or a tag: must be a fetch");
}

/** Once the connection is closed, node:http may have no socket left to ask. */
function isGone(request: { readonly socket: { readonly destroyed: boolean } | null }): boolean {
  return request.socket === null || request.socket.destroyed;
}

async function readPost(request: IncomingMessage, maxBytes: number): Promise<OperationRequest> {
  const type = request.headers["content-type"] ?? "";
  if (!isJsonType(type)) {
    throw new HttpRefusal(415, `Cannot read a body of content type ${JSON.stringify(type)}: must be application/json`);
  }
  const body = parseObject(await readBody(request, maxBytes), "body");
  // Yoga writes it as JSON again, which takes as much stack as it is deep.
  if (isDeeperThan(body, MAX_BODY_LEVELS)) {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot read the body: nested more than ${MAX_BODY_LEVELS} levels deep`);
  }
  if (typeof body.query !== "string") {
    throw new RealtimeError("BAD_USER_INPUT", "Cannot read the body: must have a query, as a string");
  }
  // Yoga looks at the other parts, and `prepare` at those it needs.
  return { ...body, query: body.query };
}

function parseObject(text: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot read the ${what}: not JSON`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RealtimeError("BAD_USER_INPUT", `Cannot read the ${what}: must be one JSON object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function readGet(request: IncomingMessage): OperationRequest | undefined {
  const { searchParams } = new URL(request.url ?? "", "http://localhost");
  const query = searchParams.get("query");
  if (query === null) return undefined;
  const variables = searchParams.get("variables");
  return {
    query,
    operationName: searchParams.get("operationName"),
    variables: variables === null || variables === "" ? null : parseObject(variables, "variables"),
  };
}

/** What Yoga carries from hook to hook. */
interface HttpContext extends Context {
  /** Undefined when the request has no query: Yoga refuses it. */
  readonly prepared: PreparedOperation | undefined;
}

type OperationsPluginDeps = Pick<GraphqlHttpDeps, "operations" | "mask" | "outboxBytes">;

function createOperationsPlugin({ operations, mask, outboxBytes }: OperationsPluginDeps): Plugin<HttpContext> {
  const limit = answerLimit(outboxBytes);
  return {
    onParse({ context: { prepared }, setParseFn }) {
      setParseFn(() => {
        if (prepared?.document === undefined) throw prepared?.errors?.[0];
        return prepared.document;
      });
    },
    onValidate({ context: { prepared }, setResult }) {
      setResult([...prepared?.errors ?? []]);
    },
    onExecute({ args: { contextValue: { prepared, rooms, viewer } }, setExecuteFn }) {
      setExecuteFn(async () => {
        const result = await operations.execute(prepared!.operation!, { rooms, viewer });
        const json = JSON.stringify(result);
        if (isOver(json, limit)) return { errors: [withStatus(mask(answerTooLarge(limit)), 413)] };
        // Yoga leaves out what it notes in errors of its own; all else is sent as it was measured.
        if (result.errors === undefined) return { ...result, stringify: () => json };
        // Such as variables that are none: nothing was executed.
        return result.data === undefined ? { errors: result.errors.map((error) => withStatus(error, 400)) } : result;
      });
    },
  };
}

/** Tells Yoga the status of an answer without data; not for who accepts JSON alone (GraphQL over HTTP, section 6.4). */
function withStatus(error: GraphQLError, status: number): GraphQLError {
  return Object.assign(error, { extensions: { ...error.extensions, http: { status, spec: true } } });
}
