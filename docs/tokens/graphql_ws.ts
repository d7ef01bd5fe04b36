// #region graphql-ws
import { resumable } from "graphql-rooms/client";
import { type Client, createClient } from "graphql-ws";

/** Asks for a token at each connection: the first, and each after a break or when the token has expired. */
export function createGraphqlWs(url: string, getToken: () => Promise<string>): Client {
  return createClient({
    url: url.replace(/^http/, "ws"), // on Node before 22 also: webSocketImpl, from the package ws
    ...resumable({ connectionParams: async () => ({ token: await getToken() }) }),
  });
}
// #endregion

// #region refresh
/** Lets the connection go on with a new token, without a break. Answers with when that one ends. */
export async function refresh(client: Client, token: string): Promise<Date> {
  const query = `mutation ($token: String!) { refreshToken(token: $token) { expiresAt } }`;
  const { value } = await client.iterate<{ refreshToken: { expiresAt: string } }>({ query, variables: { token } })
    .next();
  if (!value?.data) throw new Error("The token was refused", { cause: value?.errors });
  return new Date(value.data.refreshToken.expiresAt);
}
// #endregion
