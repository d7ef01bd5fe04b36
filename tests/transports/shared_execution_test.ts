import { assert, assertEquals } from "@std/assert";
import { extendSchema, type GraphQLFieldResolver, type GraphQLObjectType, parse } from "graphql";
import type { Context } from "../../src/graphql/context.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import type { MessageView } from "../../src/core/messages.ts";
import { SEND } from "../support/documents.ts";
import { HttpStream } from "../support/http_stream.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { StockClient } from "../support/stock_client.ts";

const FORMATS = {
  sse: { accept: "text/event-stream", event: /event: next\ndata: (.*)\n/ },
  multipart: { accept: "multipart/mixed;subscriptionSpec=1.0", event: /\r\n\r\n\{"payload":(.*)\}\r\n--graphql/ },
} as const;

/** A server whose messages have one more field. */
function startWith(resolve: GraphQLFieldResolver<MessageView, Context>): Promise<LocalServer> {
  const schema = extendSchema(createSchema(), parse("extend type Message { more: String }"));
  (schema.getType("Message") as GraphQLObjectType<MessageView, Context>).getFields()["more"]!.resolve = resolve;
  return startLocalServer({}, undefined, schema);
}

/** One subscriber over each transport, in a session named after it. */
class Subscribers implements AsyncDisposable {
  /** What the next event brings each of them, by transport. */
  readonly #next: Readonly<Record<string, () => Promise<Result>>>;
  readonly #open: readonly AsyncDisposable[];

  private constructor(next: Readonly<Record<string, () => Promise<Result>>>, open: readonly AsyncDisposable[]) {
    this.#next = next;
    this.#open = open;
  }

  /** Subscribes over all three, which are live then. */
  static async open({ url, webSocketUrl }: LocalServer, query: string): Promise<Subscribers> {
    const client = StockClient.as("ann", webSocketUrl, { sessionId: "webSocket" });
    const received = client.subscribe(query);
    await client.settled();
    const open: AsyncDisposable[] = [client];
    const next: Record<string, () => Promise<Result>> = { webSocket: async () => await received.next() as Result };
    for (const [session, { accept, event }] of Object.entries(FORMATS)) {
      const stream = await HttpStream.subscribe(url, query, { headers: { accept, "x-session-id": session } });
      next[session] = async () => JSON.parse((await stream.read(event))[1]!);
      open.push(stream);
    }
    return new Subscribers(next, open);
  }

  /** The next result of each, by transport. */
  async next(): Promise<Readonly<Record<string, Result>>> {
    const results = Object.entries(this.#next).map(async ([transport, next]) => [transport, await next()] as const);
    return Object.fromEntries(await Promise.all(results));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open) await one[Symbol.asyncDispose]();
  }
}

interface Result {
  readonly data: { readonly messages: Readonly<Record<string, unknown>> } | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
  readonly extensions: { readonly cursor: string };
}

const QUERY = `subscription { messages(room: "lobby") { content more } }`;

Deno.test("G12 one event is executed once for subscribers over WebSocket, Server-Sent Events and multipart together", async () => {
  let executions = 0;
  await using server = await startWith(() => String(++executions));
  await using first = await Subscribers.open(server, QUERY);
  await using second = await Subscribers.open(server, QUERY);

  for (const [content, more] of [["one", "1"], ["two", "2"]] as const) {
    await server.query(SEND, { room: "lobby", content });
    const [results, again] = [await first.next(), await second.next()];
    assertEquals(results["webSocket"]!.data!.messages, { content, more });
    assertEquals([results["sse"], results["multipart"]], [results["webSocket"], results["webSocket"]]);
    assertEquals(again, results);
  }
  assertEquals(executions, 2);
});

Deno.test("two viewers never see each other's value, over WebSocket, Server-Sent Events and multipart at once", async () => {
  let executions = 0;
  await using server = await startWith((_message, _args, { viewer: { sessionId } }) => {
    executions++;
    return sessionId;
  });
  await using subscribers = await Subscribers.open(server, QUERY);

  for (const content of ["one", "two"]) {
    await server.query(SEND, { room: "lobby", content });
    for (const [session, { data }] of Object.entries(await subscribers.next())) {
      assertEquals(data!.messages, { content, more: session });
    }
  }
  assertEquals(executions, 6);
});

Deno.test("a resolver's error is in that event's result on every transport, masked, and the subscriptions go on", async () => {
  await using server = await startWith(async ({ publication: { event: { content } } }) => {
    if (content === "one") await Promise.reject(new Error("secret of the database"));
    return "whole";
  });
  await using unlucky = await Subscribers.open(server, QUERY);
  await using lucky = await Subscribers.open(server, `subscription { messages(room: "lobby") { content } }`);

  await server.query(SEND, { room: "lobby", content: "one" });
  const cursors = new Set<string>();
  for (const { data, errors, extensions } of Object.values(await unlucky.next())) {
    assertEquals(data, { messages: { content: "one", more: null } });
    assertEquals(errors!.map(({ message }) => message), ["Internal server error"]);
    assertEquals(errors![0]!.extensions["code"], "INTERNAL_SERVER_ERROR");
    cursors.add(extensions.cursor);
  }
  for (const { data, errors, extensions } of Object.values(await lucky.next())) {
    assertEquals([data, errors], [{ messages: { content: "one" } }, undefined]);
    cursors.add(extensions.cursor);
  }
  assertEquals(cursors.size, 1);
  assert([...cursors][0]!.length > 0);

  await server.query(SEND, { room: "lobby", content: "two" });
  for (const { data, errors } of Object.values(await unlucky.next())) {
    assertEquals([data, errors], [{ messages: { content: "two", more: "whole" } }, undefined]);
  }
});
