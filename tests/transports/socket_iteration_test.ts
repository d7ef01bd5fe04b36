import { assertEquals } from "@std/assert";
import { extendSchema, type GraphQLObjectType, parse } from "graphql";
import type { Context } from "../../src/graphql/context.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

/** What a program's own field yields, step by step, and how often it was closed. */
interface Counter {
  readonly push: (value: number) => void;
  readonly fail: (error: Error) => void;
  readonly finish: () => void;
  returns: number;
}

/** A server with a subscription field that returns an ordinary iterable: `count`. */
async function openCounting() {
  const counters: Counter[] = [];
  const schema = extendSchema(createSchema(), parse("extend type Subscription { count: Int! }"));
  const field = (schema.getSubscriptionType() as GraphQLObjectType<unknown, Context>).getFields()["count"]!;
  field.subscribe = () => createCounter(counters);
  return { server: await startLocalServer({}, undefined, schema), counters };
}

function createCounter(counters: Counter[]): AsyncIterableIterator<unknown> {
  const results: PromiseSettledResult<IteratorResult<unknown>>[] = [];
  const waiting: PromiseWithResolvers<IteratorResult<unknown>>[] = [];
  const settle = (result: PromiseSettledResult<IteratorResult<unknown>>): void => {
    const one = waiting.shift();
    if (one === undefined) results.push(result);
    else if (result.status === "fulfilled") one.resolve(result.value);
    else one.reject(result.reason);
  };
  const done = (): IteratorResult<unknown> => ({ done: true, value: undefined });
  const counter: Counter = {
    push: (count) => settle({ status: "fulfilled", value: { done: false, value: { count } } }),
    fail: (reason) => settle({ status: "rejected", reason }),
    finish: () => settle({ status: "fulfilled", value: done() }),
    returns: 0,
  };
  counters.push(counter);
  return {
    next() {
      const result = results.shift();
      if (result?.status === "rejected") return Promise.reject(result.reason);
      if (result !== undefined) return Promise.resolve(result.value);
      const one = Promise.withResolvers<IteratorResult<unknown>>();
      waiting.push(one);
      return one.promise;
    },
    return() {
      counter.returns++;
      for (const one of waiting.splice(0)) one.resolve(done());
      return Promise.resolve(done());
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const COUNT = "subscription { count }";

Deno.test("what a program's own iterable yields is sent, and its end", async () => {
  const { server, counters } = await openCounting();
  await using _server = server;
  await using client = await RawClient.ready(server.webSocketUrl);
  client.subscribe("1", COUNT);
  client.subscribe("fence", "{ viewer { userId } }");
  assertEquals([(await client.next()).id, (await client.next()).id], ["fence", "fence"]);

  counters[0]!.push(7);
  counters[0]!.finish();

  assertEquals(await client.next(), { id: "1", type: "next", payload: { data: { count: 7 } } });
  assertEquals(await client.next(), { id: "1", type: "complete" });
});

Deno.test("an error of a program's own iterable is masked, and an error of its id alone", async () => {
  const { server, counters } = await openCounting();
  await using _server = server;
  await using client = await RawClient.ready(server.webSocketUrl);
  client.subscribe("1", COUNT);
  client.subscribe("fence", "{ viewer { userId } }");
  assertEquals([(await client.next()).id, (await client.next()).id], ["fence", "fence"]);

  counters[0]!.fail(new Error("secret of the program"));
  const { id, type, payload } = await client.next();
  client.subscribe("1", "{ viewer { userId } }");

  assertEquals([id, type, payload[0].message], ["1", "error", "Internal server error"]);
  assertEquals([(await client.next()).type, (await client.next()).type], ["next", "complete"]);
});

Deno.test("a program's own iterable that its client completes is closed once, and its id is another's at once", async () => {
  const { server, counters } = await openCounting();
  await using _server = server;
  const socket = await RawSocket.connect(server.port);
  await socket.send(UPGRADE, { type: "connection_init" });
  await socket.until(/connection_ack/);
  const begin = { id: "1", type: "subscribe", payload: { query: COUNT } };
  const fence = { id: "fence", type: "subscribe", payload: { query: "{ viewer { userId } }" } };
  await socket.send(begin, fence);
  await socket.until(/"fence","type":"complete"/);

  await socket.send({ id: "1", type: "complete" }, begin, fence);
  await socket.until(/^(?:(?!"id":"1")[^])*"fence","type":"complete"/);
  counters[1]!.push(8);
  await socket.until(/"id":"1","type":"next","payload":\{"data":\{"count":8\}\}/);
  await socket.send({ id: "1", type: "complete" }, fence);
  await socket.until(/^(?:(?!"id":"1")[^])*"fence","type":"complete"/);

  assertEquals(counters.map(({ returns }) => returns), [1, 1]);
  await socket.close();
});

Deno.test("a program's own iterable is closed when its connection ends", async () => {
  const { server, counters } = await openCounting();
  await using _server = server;
  const client = await RawClient.ready(server.webSocketUrl);
  client.subscribe("1", COUNT);
  client.subscribe("fence", "{ viewer { userId } }");
  assertEquals([(await client.next()).id, (await client.next()).id], ["fence", "fence"]);

  await client[Symbol.asyncDispose]();
  await server.telemetry.until("connection.closed", 1);

  assertEquals(counters.map(({ returns }) => returns), [1]);
});
