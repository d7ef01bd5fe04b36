// #region apollo
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { resumable } from "graphql-rooms/client";
import { createClient } from "graphql-ws";

/** Subscriptions over a WebSocket, the rest over HTTP: one user and one session on both. */
export function createApollo(url: string, userId: string): ApolloClient {
  const sessionId = crypto.randomUUID();
  const socket = createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({ connectionParams: { userId, sessionId } }),
  });
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      new HttpLink({ uri: url, headers: { "x-user-id": userId, "x-session-id": sessionId } }),
    ),
  });
}
// #endregion
