// #region graphql-sse
import { type Client, createClient } from "graphql-sse";

/** Everything over HTTP: each operation has its own stream of Server-Sent Events. */
export function createGraphqlSse(url: string, userId: string): Client {
  return createClient({
    url,
    headers: { "x-user-id": userId, "x-session-id": crypto.randomUUID() },
    retryAttempts: Infinity,
    retry: () => new Promise((resolve) => setTimeout(resolve, 1_000 + 2_000 * Math.random())),
  });
}
// #endregion
