import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { assertEquals } from "@std/assert";
import { Client as UrqlClient, type CombinedError, subscriptionExchange } from "@urql/core";
import { type Client, type ClientOptions, createClient, type FormattedExecutionResult, type Sink } from "graphql-ws";
import { tap } from "rxjs";
import { WebSocket } from "ws";
import { createApollo } from "../../../docs/clients/apollo.ts";
import { followRoom } from "../../../docs/clients/event_source.ts";
import { createUrql } from "../../../docs/clients/urql.ts";
import { resumable } from "../../../src/client.ts";
import { subscriptionsAre } from "../../contracts/client_suite.ts";
import { resumeContract } from "../../contracts/resume_suite.ts";
import type { ResumingClient, ResumingClientOptions } from "../../support/resume_world.ts";
import { MESSAGES, SEND } from "../../support/documents.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { Received, StockClient } from "../../support/stock_client.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { Refused, testedEventSource } from "../../support/tested_clients.ts";

type Follow = ResumingClient["follow"];

resumeContract({
  name: "graphql-ws",
  exactlyOnce: false,
  create: (url, options) => overSocket(url, stock(options), followGraphqlWs),
});

resumeContract({
  name: "Apollo",
  exactlyOnce: false,
  create: (url, options) =>
    overSocket(
      url,
      stock(options),
      (socket) => followApollo(new ApolloClient({ cache: new InMemoryCache(), link: new GraphQLWsLink(socket) })),
    ),
});

resumeContract({
  name: "urql",
  exactlyOnce: false,
  create: (url, options) => overSocket(url, stock(options), (socket) => followUrql(createStockUrql(url, socket))),
});

resumeContract({
  name: "graphql-ws with resumable()",
  exactlyOnce: true,
  create(url, { userId, sessionId }) {
    const gaps: unknown[] = [];
    const options = resumable({
      connectionParams: { userId, sessionId },
      onGap: ({ variables }) => gaps.push(variables?.room),
    });
    return { ...overSocket(url, options, followGraphqlWs), gaps };
  },
});

resumeContract({
  name: "Apollo as in docs/clients.md",
  exactlyOnce: true,
  waits: true,
  create(url, { userId }) {
    const client = createApollo(url, userId);
    return endingWhatItFollows(followApollo(client), () => client.stop());
  },
});

resumeContract({
  name: "urql as in docs/clients.md",
  exactlyOnce: true,
  waits: true,
  create: (url, { userId }) => endingWhatItFollows(followUrql(createUrql(url, userId)), () => {}),
});

for (const [name, options] of Object.entries({ "graphql-ws": {}, "graphql-ws with resumable()": resumable() })) {
  Deno.test(`G2 ${name} goes on as a guest without a name, whom its operation's id alone tells`, async () => {
    await using server = await ServerProcess.start();
    await using proxy = await TcpProxy.start(server.port);
    await using client = overSocket(`http://127.0.0.1:${proxy.port}/graphql`, options, followGraphqlWs);
    const received = client.follow(MESSAGES, { room: "lobby" });
    await subscriptionsAre(server, 1);

    proxy.stall();
    proxy.cut();
    await subscriptionsAre(server, 0);
    await server.post(SEND, { room: "lobby", content: "missed" });
    proxy.resume();

    assertEquals((await received.nextField()).content, "missed");
  });
}

Deno.test("G2 graphql-ws gives up when nobody listens, unless shouldRetry says otherwise", async () => {
  await using server = await ServerProcess.start();
  await using proxy = await TcpProxy.start(server.port);
  const url = `ws://127.0.0.1:${proxy.port}/graphql`;
  const refused = Promise.withResolvers<void>();
  const listens = Promise.withResolvers<void>();
  const retryWait = async (retries: number) => {
    if (retries === 0) return;
    refused.resolve();
    await listens.promise;
  };
  await using givesUp = new StockClient(url, { retryWait });
  await using comesBack = new StockClient(url, { retryWait, shouldRetry: () => true });
  const [lost, received] = [givesUp, comesBack].map((client) => client.subscribe(MESSAGES, { room: "lobby" }));
  await subscriptionsAre(server, 2);

  proxy.refuse();
  proxy.cut();
  await Promise.all([refused.promise, lost!.failure()]);
  await server.post(SEND, { room: "lobby", content: "missed" });
  await proxy.accept();
  listens.resolve();

  assertEquals((await received!.nextField()).content, "missed");
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

/** What a stock client is told: who it is, and nothing of how to come back unless that is what is tested. */
function stock({ userId, sessionId, shouldRetry }: ResumingClientOptions): Partial<ClientOptions> {
  return { connectionParams: { userId, sessionId }, ...(shouldRetry === undefined ? {} : { shouldRetry }) };
}

/** A client over graphql-ws's own, on npm ws as in Node; that it does not wait before it comes back is the test's. */
function overSocket(url: string, options: Partial<ClientOptions>, library: (socket: Client) => Follow): ResumingClient {
  const socket = createClient({
    ...options,
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    retryWait: () => Promise.resolve(),
  });
  let closed = Promise.resolve();
  socket.on("opened", () => closed = new Promise((resolve) => socket.on("closed", () => resolve())));
  return endingWhatItFollows(library(socket), () => closed);
}

/** Disposing of it ends its subscriptions, then what is below them. */
function endingWhatItFollows(follow: Follow, end: () => Promise<void> | void): ResumingClient {
  const followed: Received[] = [];
  return {
    follow(query, variables) {
      const received = follow(query, variables);
      followed.push(received);
      return received;
    },
    async [Symbol.asyncDispose]() {
      for (const received of followed) received.stop();
      await end();
    },
  };
}

function followGraphqlWs(socket: Client): Follow {
  return (query, variables) => {
    const received = new Received();
    received.stop = socket.subscribe({ query, variables }, {
      ...received.sink as Sink<FormattedExecutionResult<Record<string, unknown>, unknown>>,
      error: (error) => received.sink.error(Array.isArray(error) ? new Refused(error[0].extensions.code) : error),
    });
    return received;
  };
}

function followApollo(client: ApolloClient): Follow {
  // Apollo hands out no extensions: they are read on the way to it.
  const noteExtensions = new ApolloLink((operation, forward) =>
    forward(operation).pipe(tap(({ extensions }) => operation.getContext().extensions.push(extensions)))
  );
  client.setLink(ApolloLink.from([noteExtensions, client.link]));
  return (query, variables) => {
    const received = new Received();
    const extensions: Record<string, unknown>[] = [];
    const request = { query: gql(query), variables, context: { extensions } };
    const subscription = client.subscribe(request).subscribe({
      next({ data, error }) {
        if (CombinedGraphQLErrors.is(error)) return received.sink.error(new Refused(error.errors[0]?.extensions?.code));
        if (error !== undefined) return received.sink.error(error);
        received.sink.next({ data, extensions: extensions.shift() });
      },
      error: received.sink.error,
      complete: received.sink.complete,
    });
    received.stop = () => subscription.unsubscribe();
    return received;
  };
}

function createStockUrql(url: string, socket: Client): UrqlClient {
  return new UrqlClient({
    url,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink: Sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}

function followUrql(client: UrqlClient): Follow {
  return (query, variables) => {
    const received = new Received();
    const { unsubscribe } = client.subscription(query, variables).subscribe(({ data, error, extensions, hasNext }) => {
      if (error !== undefined) return received.sink.error(refusalOf(error));
      // At the end it hands out the last result once more.
      if (!hasNext) return received.sink.complete();
      received.sink.next({ data, extensions: { ...extensions } });
      // What is said once stays in urql's later results, unless it is taken out.
      delete extensions?.recovered;
    });
    received.stop = unsubscribe;
    return received;
  };
}

function refusalOf(error: CombinedError): Error {
  const [first] = error.graphQLErrors;
  return first === undefined ? error : new Refused(first.extensions.code);
}
