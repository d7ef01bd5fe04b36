import { type Caller, parseSessionId } from "../core/caller.ts";
import type { OperationRequest } from "../graphql/operations.ts";
import { bearerToken } from "./token_carriers.ts";

/** The token that an operation brings along; undefined when it brings none. */
export function operationToken({ extensions }: SocketRequest): string | undefined {
  const headers = headersOf(extensions);
  const name = Object.keys(headers).find((one) => one.toLowerCase() === "authorization");
  return name === undefined ? undefined : bearerToken(headers[name]);
}

/** What a `subscribe` message carries. */
export type SocketRequest = OperationRequest & {
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
};

/**
 * Who asks, in the session that the operation names: GraphiQL sends its page's headers
 * along with each operation, as `extensions.headers`.
 */
export function callerOf(caller: Caller, { extensions }: SocketRequest): Caller {
  const headers = headersOf(extensions);
  if (!Object.hasOwn(headers, "x-session-id")) return caller;
  return {
    // Asked each time: the connection's own session may yet be continued as another.
    get principal() {
      return caller.principal;
    },
    get session() {
      return caller.session;
    },
    address: caller.address,
    namesSession: true,
    sessionId: parseSessionId(headers["x-session-id"]),
  };
}

const NO_HEADERS: Readonly<Record<string, unknown>> = {};

function headersOf(extensions: SocketRequest["extensions"]): Readonly<Record<string, unknown>> {
  const headers = extensions?.headers;
  return typeof headers === "object" && headers !== null ? { ...headers } : NO_HEADERS;
}
