// #region urql-http
import { cacheExchange, Client, fetchExchange } from "@urql/core";

/** Everything over HTTP: a subscription is a stream of Server-Sent Events. */
export function createUrqlHttp(url: string, userId: string): Client {
  return new Client({
    url,
    fetchSubscriptions: true,
    fetchOptions: { headers: { "x-user-id": userId, "x-session-id": crypto.randomUUID() } },
    exchanges: [cacheExchange, fetchExchange],
  });
}
// #endregion
