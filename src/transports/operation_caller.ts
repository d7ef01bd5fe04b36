import { type Caller, parseSessionId } from "../core/caller.ts";
import type { OperationRequest } from "../graphql/operations.ts";

/** What a `subscribe` message carries. */
export type SocketRequest = OperationRequest & {
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
};

/**
 * Who asks, in the session that the operation names: GraphiQL sends its page's headers
 * along with each operation, as `extensions.headers`.
 */
export function callerOf(caller: Caller, { extensions }: SocketRequest): Caller {
  const headers = extensions?.headers;
  if (typeof headers !== "object" || headers === null || !("x-session-id" in headers)) return caller;
  return {
    // Asked each time: the connection's own session may yet be continued as another.
    get principal() {
      return caller.principal;
    },
    get session() {
      return caller.session;
    },
    namesSession: true,
    sessionId: parseSessionId(headers["x-session-id"]),
  };
}
