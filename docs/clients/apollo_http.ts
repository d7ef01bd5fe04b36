// #region apollo-http
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";

/** Everything over HTTP: a subscription is a multipart answer that stays open. */
export function createApolloHttp(url: string, userId: string): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: url, headers: { "x-user-id": userId, "x-session-id": crypto.randomUUID() } }),
  });
}
// #endregion
