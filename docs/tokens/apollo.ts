// #region apollo
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { resumable } from "graphql-rooms/client";
import { createClient } from "graphql-ws";

/** A token for each connection, and for each request over HTTP: `getToken` keeps it until it ends. */
export function createApollo(url: string, getToken: () => Promise<string>): ApolloClient {
  const sessionId = crypto.randomUUID();
  const socket = createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({ connectionParams: async () => ({ token: await getToken(), sessionId }) }),
  });
  const withToken = new SetContextLink(async () => ({
    headers: { authorization: `Bearer ${await getToken()}`, "x-session-id": sessionId },
  }));
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      withToken.concat(new HttpLink({ uri: url })),
    ),
  });
}
// #endregion
