// #region urql
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { resumable } from "graphql-rooms/client";
import { createClient, type Sink } from "graphql-ws";

/** Subscriptions over a WebSocket, the rest over HTTP: one user and one session on both. */
export function createUrql(url: string, userId: string): Client {
  const sessionId = crypto.randomUUID();
  const socket = createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({ connectionParams: { userId, sessionId } }),
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
