import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client as UrqlClient, subscriptionExchange } from "@urql/core";
import { EventSource } from "eventsource";
import type { ClientOptions, Sink } from "graphql-ws";
import { tap } from "rxjs";
import { resumable } from "../../src/client.ts";
import type { CutClient, CutClientDeps, CutClientKind } from "./cut_client.ts";
import { MESSAGES } from "./documents.ts";
import { WatchedSocket } from "./watched_socket.ts";

/** The kinds of client that promise to miss nothing over cuts, or to be told. */
export const CUT_CLIENT_KINDS: readonly CutClientKind[] = [
  overWebSocket("stock", graphqlWs, {}),
  overWebSocket("stock with shouldRetry", graphqlWs, { shouldRetry: () => true }),
  overWebSocket("stock Apollo", apollo, {}),
  overWebSocket("stock urql", urql, {}),
  { name: "EventSource", survivesRefusal: true, isTold: false, exactlyOnce: true, create: eventSource },
  overWebSocket("resumable", graphqlWs, "resumable"),
  overWebSocket("resumable Apollo", apollo, "resumable"),
  overWebSocket("resumable urql", urql, "resumable"),
];

/** How a client over graphql-ws follows a room. */
export type FollowOverSocket = (socket: WatchedSocket, url: string) => CutClient["follow"];

/** A kind over graphql-ws's client with these options, or with those that `resumable()` makes. */
export function overWebSocket(
  name: string,
  library: FollowOverSocket,
  options: Partial<ClientOptions> | "resumable",
): CutClientKind {
  const isResumable = options === "resumable";
  return {
    name,
    survivesRefusal: isResumable || options.shouldRetry !== undefined,
    isTold: true,
    exactlyOnce: isResumable,
    create(deps) {
      const { userId } = deps;
      const socket = new WatchedSocket(deps, isResumable ? resumable({ connectionParams: { userId } }) : options);
      const follow = library(socket, deps.url());
      return {
        follow(room, sink) {
          socket.watch(room, sink);
          return follow(room, sink);
        },
        leave: () => socket.client.terminate(),
        [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
      };
    },
  };
}

/** graphql-ws's client as it is. */
export function graphqlWs({ client }: WatchedSocket): CutClient["follow"] {
  return (room, sink) =>
    client.subscribe<{ messages: MessageData }>({ query: MESSAGES, variables: { room } }, {
      next({ data, errors, extensions }) {
        if (errors !== undefined) return sink.failed(new AggregateError(errors));
        sink.delivered(data!.messages, extensions ?? {});
      },
      error: sink.failed,
      complete() {},
    });
}

function apollo({ client }: WatchedSocket): CutClient["follow"] {
  // Apollo hands out no extensions: they are read on the way to it.
  const watchExtensions = new ApolloLink((operation, forward) =>
    forward(operation).pipe(tap(({ extensions }) => operation.getContext().sink.noticed(extensions ?? {})))
  );
  const link = ApolloLink.from([watchExtensions, new GraphQLWsLink(client)]);
  const apollo = new ApolloClient({ cache: new InMemoryCache(), link });
  return (room, sink) => {
    const request = { query: gql(MESSAGES), variables: { room }, context: { sink } };
    const subscription = apollo.subscribe<{ messages: MessageData }>(request).subscribe({
      next: ({ data, error }) => error === undefined ? sink.delivered(data!.messages!) : sink.failed(error),
      error: sink.failed,
    });
    return () => subscription.unsubscribe();
  };
}

function urql({ client }: WatchedSocket, url: string): CutClient["follow"] {
  const urql = new UrqlClient({
    url,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink: Sink) => ({ unsubscribe: client.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
  return (room, sink) => {
    const { unsubscribe } = urql.subscription(MESSAGES, { room }).subscribe(({ data, error, extensions, hasNext }) => {
      if (error !== undefined) return sink.failed(error);
      // At the end it hands out the last result once more.
      if (hasNext) sink.delivered(data.messages, extensions ?? {});
    });
    return unsubscribe;
  };
}

/** The package for Node; it waits the second that the server asks for, before the run's own wait. */
function eventSource({ url, userId, mayReturn }: CutClientDeps): CutClient {
  return {
    follow(room, sink) {
      let isBack = false;
      const query = new URLSearchParams({ query: MESSAGES, variables: JSON.stringify({ room }) });
      const source = new EventSource(`${url()}?${query}`, {
        async fetch(input, init) {
          if (isBack) await mayReturn();
          isBack = true;
          return await fetch(input, { ...init, headers: { ...init.headers, "x-user-id": userId } });
        },
      });
      source.addEventListener("open", () => sink.connected());
      source.addEventListener("next", ({ data: text }) => {
        const { data, extensions } = JSON.parse(text);
        sink.delivered(data.messages, extensions);
      });
      source.addEventListener("error", ({ code, message }) => {
        if (source.readyState === source.CLOSED) sink.failed(new Error(`It stays away: ${code ?? message}`));
      });
      return () => source.close();
    },
    async [Symbol.asyncDispose]() {},
  };
}

type MessageData = { readonly id: string; readonly room: string | null; readonly content: string };
