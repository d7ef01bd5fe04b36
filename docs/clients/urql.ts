// #region urql
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient, type Sink } from "graphql-ws";

/** Subscriptions over a WebSocket, the rest over HTTP: one user and one session on both. */
export function createUrql(url: string, userId: string): Client {
  const sessionId = crypto.randomUUID();
  const socket = createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    connectionParams: { userId, sessionId },
    shouldRetry: () => true,
    retryAttempts: Infinity,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 1_000 + 2_000 * Math.random())),
  });
  return new Client({
    url,
    fetchOptions: { headers: { "x-user-id": userId, "x-session-id": sessionId } },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink: Sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}
// #endregion
