// #region urql
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { resumable } from "graphql-rooms/client";
import { createClient, type Sink } from "graphql-ws";

/** A token for each connection, and for each request over HTTP: `getToken` keeps it until it ends. */
export function createUrql(url: string, getToken: () => Promise<string>): Client {
  const sessionId = crypto.randomUUID();
  const socket = createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({ connectionParams: async () => ({ token: await getToken(), sessionId }) }),
  });
  return new Client({
    url,
    fetchOptions: { headers: { "x-session-id": sessionId } },
    async fetch(input, init) {
      const headers = new Headers(init?.headers);
      headers.set("authorization", `Bearer ${await getToken()}`);
      return await fetch(input, { ...init, headers });
    },
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
