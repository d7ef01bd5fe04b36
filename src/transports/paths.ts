import type { IncomingMessage } from "node:http";

/** The one path of the API, on every transport. */
export const GRAPHQL_PATH = "/graphql";

/** Of those who run the server: whether the process lives, and whether it takes new clients. */
export const HEALTH_PATH = "/health";
export const READY_PATH = "/ready";

/** The path a request asks for, without its query: a token may stand there. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0]!;
}
