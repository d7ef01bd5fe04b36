// #region graphql-ws
import { resumable } from "graphql-rooms/client";
import { type Client, createClient } from "graphql-ws";

/** Everything over a WebSocket. After a break nothing is missing and nothing comes twice, or it says so. */
export function createGraphqlWs(url: string, userId: string): Client {
  return createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({
      connectionParams: { userId },
      onGap: ({ variables }) => console.warn("Messages are missing for good:", variables),
    }),
  });
}
// #endregion
