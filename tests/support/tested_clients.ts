import { type ApolloClient, CombinedGraphQLErrors, gql } from "@apollo/client";
import type { Client as UrqlClient, CombinedError } from "@urql/core";
import type { Client as SseClient } from "graphql-sse";
import type { Client as WsClient } from "graphql-ws";
import type { EventSource } from "eventsource";
import { MESSAGES, SEND } from "./documents.ts";
import { Received } from "./stock_client.ts";

/** A client of docs/clients, as the tests need it: one user who follows rooms and sends. */
export interface TestedClient extends Disposable {
  /** Follows a room's messages. A refusal fails it with a {@linkcode Refused}. */
  follow(room: string): Received;
  /**
   * Sends a message.
   *
   * @throws {Refused} when the server refuses it
   */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  send(variables: SendVariables): Promise<any>;
}

/** What is sent. */
export interface SendVariables {
  readonly room: string;
  readonly content: string;
  readonly excludeSelf?: boolean;
}

/** A refusal, as far as the client shows it: the error's code, or the HTTP status. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly shown: unknown;

  constructor(shown: unknown) {
    super(`Refused: ${shown}`);
    this.shown = shown;
  }
}

/** Apollo Client, however its links are set up. */
export function testedApollo(client: ApolloClient): TestedClient {
  return {
    follow(room) {
      const received = new Received();
      const subscription = client.subscribe({ query: gql(MESSAGES), variables: { room } }).subscribe({
        next: ({ data, error }) => error ? received.sink.error(apolloRefusal(error)) : received.sink.next({ data }),
        error: received.sink.error,
        complete: received.sink.complete,
      });
      received.stop = () => subscription.unsubscribe();
      return received;
    },
    async send(variables) {
      const { data } = await client.mutate({ mutation: gql(SEND), variables: { ...variables } }).catch((error) => {
        throw apolloRefusal(error);
      });
      return (data as Record<string, unknown>).sendMessage;
    },
    [Symbol.dispose]: () => client.stop(),
  };
}

function apolloRefusal(error: unknown): unknown {
  return CombinedGraphQLErrors.is(error) ? new Refused(error.errors[0]?.extensions?.code) : error;
}

/** urql, whatever its exchanges. */
export function testedUrql(client: UrqlClient): TestedClient {
  return {
    follow(room) {
      const received = new Received();
      const { unsubscribe } = client.subscription(MESSAGES, { room }).subscribe(({ data, error, hasNext }) => {
        if (error !== undefined) return received.sink.error(urqlRefusal(error));
        // At the end it hands out the last result once more.
        if (!hasNext) return received.sink.complete();
        received.sink.next({ data });
      });
      received.stop = unsubscribe;
      return received;
    },
    async send(variables) {
      const { data, error } = await client.mutation(SEND, { ...variables });
      if (error !== undefined) throw urqlRefusal(error);
      return data.sendMessage;
    },
    [Symbol.dispose]() {},
  };
}

function urqlRefusal(error: CombinedError): Error {
  const [first] = error.graphQLErrors;
  return first === undefined ? error : new Refused(first.extensions.code);
}

/** graphql-ws by itself. */
export function testedGraphqlWs(client: WsClient): TestedClient {
  return {
    follow(room) {
      const received = new Received();
      received.stop = client.subscribe({ query: MESSAGES, variables: { room } }, {
        ...received.sink,
        error: (error) => received.sink.error(Array.isArray(error) ? new Refused(error[0].extensions.code) : error),
      });
      return received;
    },
    async send(variables) {
      for await (const { data, errors } of client.iterate({ query: SEND, variables: { ...variables } })) {
        if (errors !== undefined) throw new Refused(errors[0]?.extensions?.code);
        return data?.sendMessage;
      }
    },
    [Symbol.dispose]: () => void client.dispose(),
  };
}

/** graphql-sse, in distinct connections mode. */
export function testedGraphqlSse(client: SseClient): TestedClient {
  return {
    follow(room) {
      const received = new Received();
      received.stop = client.subscribe({ query: MESSAGES, variables: { room } }, {
        next: ({ data, errors }) =>
          errors === undefined
            ? received.sink.next({ data: data ?? null })
            : received.sink.error(new Refused(errors[0]?.extensions.code)),
        error: received.sink.error,
        complete: received.sink.complete,
      });
      return received;
    },
    async send(variables) {
      for await (const { data, errors } of client.iterate({ query: SEND, variables: { ...variables } })) {
        if (errors !== undefined) throw new Refused(errors[0]?.extensions.code);
        return data?.sendMessage;
      }
    },
    [Symbol.dispose]: () => client.dispose(),
  };
}

type FollowRoom = (
  url: string,
  room: string,
  headers: Record<string, string>,
  onMessage: (message: object) => void,
) => EventSource;

/** An EventSource to listen with, and the platform's `fetch` to send with. */
export function testedEventSource(
  url: string,
  headers: Record<string, string>,
  followRoom: FollowRoom,
): TestedClient {
  return {
    follow(room) {
      const received = new Received();
      const source = followRoom(url, room, headers, (messages) => received.sink.next({ data: { messages } }));
      source.addEventListener("error", ({ code }) => {
        if (source.readyState === source.CLOSED) received.sink.error(new Refused(code));
      });
      received.stop = () => source.close();
      return received;
    },
    async send(variables) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ query: SEND, variables }),
      });
      const { data, errors } = await response.json();
      if (errors !== undefined) throw new Refused(errors[0].extensions.code);
      return data.sendMessage;
    },
    [Symbol.dispose]() {},
  };
}
