import { assertEquals } from "@std/assert";
import { createApollo } from "../../../docs/clients/apollo.ts";
import { followRoom } from "../../../docs/clients/event_source.ts";
import { createUrql } from "../../../docs/clients/urql.ts";
import { subscriptionsAre } from "../../contracts/client_suite.ts";
import { MESSAGES, SEND } from "../../support/documents.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { type Received, StockClient } from "../../support/stock_client.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { testedApollo, testedEventSource, testedUrql } from "../../support/tested_clients.ts";

/** The contents of the next different messages: what was in flight at a cut may come again. */
async function nextDifferent(received: Received, count: number, seen: Set<string>): Promise<string[]> {
  const contents: string[] = [];
  while (contents.length < count) {
    const { id, content } = await received.nextField();
    if (!seen.has(id)) contents.push(content);
    seen.add(id);
  }
  return contents;
}

Deno.test("G2 stock clients lose nothing when their connection is cut, also before any message and twice", async () => {
  await using server = await ServerProcess.start();
  await using proxy = await TcpProxy.start(server.port);
  const url = `http://127.0.0.1:${proxy.port}/graphql`;
  await using stock = new StockClient(url.replace("http", "ws"), { retryWait: () => Promise.resolve() });
  using apollo = testedApollo(createApollo(url, "ann"));
  using urql = testedUrql(createUrql(url, "bob"));
  const followed = [stock.subscribe(MESSAGES, { room: "lobby" }), apollo.follow("lobby"), urql.follow("lobby")];
  const seen = followed.map(() => new Set<string>());
  await subscriptionsAre(server, followed.length);

  for (const cut of ["first", "second"]) {
    proxy.cut();
    await subscriptionsAre(server, 0);
    for (const content of [`${cut} a`, `${cut} b`]) await server.post(SEND, { room: "lobby", content });
    await subscriptionsAre(server, followed.length);
    await server.post(SEND, { room: "lobby", content: `${cut} live` });

    for (const [index, received] of followed.entries()) {
      assertEquals(await nextDifferent(received, 3, seen[index]!), [`${cut} a`, `${cut} b`, `${cut} live`]);
    }
  }
  for (const received of followed) received.stop();
});

Deno.test("G2 EventSource loses nothing when its connection is cut after a message", async () => {
  await using server = await ServerProcess.start();
  await using proxy = await TcpProxy.start(server.port);
  const url = `http://127.0.0.1:${proxy.port}/graphql`;
  using client = testedEventSource(url, {}, followRoom);
  const received = client.follow("lobby");
  await subscriptionsAre(server, 1);
  await server.post(SEND, { room: "lobby", content: "before" });
  assertEquals((await received.nextField()).content, "before");

  proxy.cut();
  await subscriptionsAre(server, 0);
  await server.post(SEND, { room: "lobby", content: "missed" });

  assertEquals((await received.nextField()).content, "missed");
  received.stop();
});
