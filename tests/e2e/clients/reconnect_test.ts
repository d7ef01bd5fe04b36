import { assertEquals, assertInstanceOf } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { createApollo } from "../../../docs/clients/apollo.ts";
import { createApolloHttp } from "../../../docs/clients/apollo_http.ts";
import { followRoom } from "../../../docs/clients/event_source.ts";
import { createGraphqlSse } from "../../../docs/clients/graphql_sse.ts";
import { createUrql } from "../../../docs/clients/urql.ts";
import { createUrqlHttp } from "../../../docs/clients/urql_http.ts";
import { subscriptionsAre } from "../../contracts/client_suite.ts";
import { SEND } from "../../support/documents.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import {
  testedApollo,
  type TestedClient,
  testedEventSource,
  testedGraphqlSse,
  testedUrql,
} from "../../support/tested_clients.ts";

Deno.test("after a restart those clients come back that docs/clients.md says do, the others are told of an end", async () => {
  // A stop ends what is open in order, a kill breaks it. Both at once: coming back takes seconds.
  await Promise.all([restart("SIGTERM"), restart("SIGKILL")]);
});

async function restart(signal: Deno.Signal): Promise<void> {
  await using first = await ServerProcess.start();
  await using second = await ServerProcess.start();
  await using proxy = await TcpProxy.start(first.port);
  const url = `http://127.0.0.1:${proxy.port}/graphql`;
  using clients = new DisposableStack();
  const follow = (client: TestedClient) => clients.use(client).follow("lobby");
  const back = [
    testedApollo(createApollo(url, "ann")),
    testedUrql(createUrql(url, "ann")),
    testedGraphqlSse(createGraphqlSse(url, "ann")),
    testedEventSource(url, {}, followRoom),
  ].map(follow);
  const away = [
    testedApollo(createApolloHttp(url, "ann")),
    testedUrql(createUrqlHttp(url, "ann")),
  ].map(follow);
  const all = [...back, ...away];
  await subscriptionsAre(first, all.length);
  await first.post(SEND, { room: "lobby", content: "before" });
  for (const received of all) assertEquals((await received.nextField()).content, "before");

  proxy.targetPort = second.port;
  first.kill(signal);
  await first.ended();
  await subscriptionsAre(second, back.length);
  await second.post(SEND, { room: "lobby", content: "after" });

  for (const received of back) assertEquals((await received.nextField()).content, "after");
  for (const received of away) await deadline(received.ended.catch((error) => assertInstanceOf(error, Error)), 10_000);
  for (const received of all) received.stop();
  await subscriptionsAre(second, 0);
}
