import { assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type ClientOptions, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { resumable } from "../src/client.ts";
import { MESSAGES, SEND } from "./support/documents.ts";
import { startLocalServer } from "./support/local_server.ts";
import { ScriptedServer } from "./support/scripted_server.ts";
import { Received, StockClient } from "./support/stock_client.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

/** Fails to compile when graphql-ws would not take the options. */
const _OPTIONS: Partial<ClientOptions> = resumable();

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Tells when it has closed, whoever has unwired it. */
class ObservedSocket extends WebSocket {
  readonly closed = new Promise<void>((resolve) => this.once("close", () => resolve()));
}

/** Takes what goes to the console as an error: what is named last each time. */
class PrintedErrors implements Disposable {
  readonly errors: unknown[] = [];
  readonly #real = console.error;

  constructor() {
    console.error = (_text: string, error: unknown) => void this.errors.push(error);
  }

  [Symbol.dispose](): void {
    console.error = this.#real;
  }
}

/** Follows a room with graphql-ws on npm's ws, as on Node. */
function follow(url: string, options: Partial<ClientOptions>, received = new Received()) {
  const sockets: ObservedSocket[] = [];
  const webSocketImpl = class extends ObservedSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      sockets.push(this);
    }
  };
  const client = createClient({ url, webSocketImpl, ...options });
  client.subscribe({ query: MESSAGES, variables: { room: "lobby" } }, received.sink);
  return {
    client,
    received,
    sockets,
    next: async () => (await received.nextField()).content,
    [Symbol.asyncDispose]: () => Promise.resolve(client.dispose()),
  };
}

const AT_ONCE = { retryWait: () => Promise.resolve() };

Deno.test("resumable() with graphql-ws comes back with the operation's id, its session and its last cursor", async () => {
  const told: unknown[] = [];
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, {
    ...resumable({
      connectionParams: { userId: "ann" },
      onGap: ({ operationId, variables }) => told.push([operationId, variables]),
    }),
    ...AT_ONCE,
  });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();
  first.cut();

  const second = await server.next();
  second.next("two", { cursor: "2", recovered: true });
  second.send({ type: "ping", payload: { rooms: { [second.id]: "3" }, gap: [second.id] } });
  second.next("three", {});
  assertEquals([await followed.next(), await followed.next()], ["two", "three"]);
  second.cut();
  const third = await server.next();

  const { sessionId, ...rest } = first.parameters;
  assertEquals(rest, { userId: "ann" });
  assertMatch(String(sessionId), UUID);
  assertMatch(first.id, UUID);
  assertEquals([second.id, third.id], [first.id, first.id]);
  assertEquals(second.parameters, { ...first.parameters, resume: { [first.id]: "1" } });
  assertEquals(third.parameters, { ...first.parameters, resume: { [first.id]: "3" } });
  assertEquals(told, [[first.id, { room: "lobby" }]]);
});

Deno.test("resumable() with graphql-ws asks again for a message whose handler threw, and says so once", async () => {
  using printed = new PrintedErrors();
  const received = new Received();
  const { next } = received.sink;
  received.sink.next = (result) => {
    if (received.results.length === 1) throw new Error("not taken");
    next(result);
  };
  await using server = await ScriptedServer.start();
  await using _followed = follow(server.url, { ...resumable(), ...AT_ONCE }, received);
  const first = await server.next();
  first.next("one", { cursor: "1" });
  first.next("two", { cursor: "2" });

  const second = await server.next();

  assertEquals(second.parameters.resume, { [first.id]: "1" });
  assertEquals(printed.errors.map(String), ["Error: not taken"]);
});

for (const failure of [new Error("no token"), "no token", undefined]) {
  Deno.test(`resumable() with graphql-ws tries again when no parameters were to be had: ${failure}`, async () => {
    using printed = new PrintedErrors();
    let calls = 0;
    await using server = await ScriptedServer.start();
    await using followed = follow(server.url, {
      ...resumable({
        connectionParams: () => {
          if (++calls === 1) return Promise.reject(failure);
          // The first socket closes while the second connection is made: with 4005, which is fatal.
          return followed.sockets[0]!.closed.then(() => ({ token: calls }));
        },
      }),
      ...AT_ONCE,
    });

    assertEquals((await server.next()).parameters.token, 2);
    assertEquals(printed.errors, [failure]);
  });
}

Deno.test("resumable() with graphql-ws does not count what comes on a terminated socket, which nobody gets", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, { ...resumable(), retryWait: () => closed.promise });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();

  followed.client.terminate();
  first.next("two", { cursor: "2" });
  await deadline(first.closed, PATIENCE_MS);
  closed.resolve();
  const second = await server.next();

  assertEquals(second.parameters.resume, { [first.id]: "1" });
  assertEquals(followed.received.results.length, 1);
});

Deno.test("resumable() with graphql-ws asks for nothing that was unsubscribed", async () => {
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, { ...resumable(), ...AT_ONCE });
  const first = await server.next();
  first.next("one", { cursor: "1" });
  await followed.next();
  const sink = { next() {}, error() {}, complete() {} };
  const stop = followed.client.subscribe({ query: MESSAGES, variables: { room: "attic" } }, sink);

  stop();
  first.send({ id: first.id, type: "complete" });
  await deadline(first.closed, PATIENCE_MS);
  followed.client.subscribe({ query: MESSAGES, variables: { room: "cellar" } }, sink);
  const second = await server.next();

  assertEquals(second.parameters.resume, undefined);
});

Deno.test("resumable() with graphql-ws leaves a path that is dead without a word, and comes back to all that was missed", async () => {
  const codes: unknown[] = [];
  await using server = await startLocalServer();
  let sockets: readonly ObservedSocket[];
  {
    await using proxy = await TcpProxy.start(server.port);
    await using sender = StockClient.as("bob", server.webSocketUrl);
    const send = (content: string) => sender.run(SEND, { room: "lobby", content });
    const url = `ws://127.0.0.1:${proxy.port}/graphql`;
    await using followed = follow(url, {
      ...resumable({ connectionParams: { userId: "ann" } }),
      ...AT_ONCE,
      keepAlive: 50,
    });
    sockets = followed.sockets;
    followed.client.on("closed", (event) => codes.push((event as CloseEvent).code));
    const alive = Promise.withResolvers<void>();
    let pongs = 0;
    const unlisten = followed.client.on("pong", (received) => void (received && ++pongs === 3 && alive.resolve()));
    await deadline(alive.promise, PATIENCE_MS);
    unlisten();
    await send("one");
    assertEquals(await followed.next(), "one");

    proxy.swallow();
    await send("two");
    const content = await followed.next();

    assertEquals([content, codes, sockets.length], ["two", [4499], 2]);
  }
  await deadline(Promise.all(sockets.map(({ closed }) => closed)), PATIENCE_MS);
});

Deno.test("resumable() with graphql-ws leaves no timer behind when the client goes while it waits for a Pong", async () => {
  const pinged = Promise.withResolvers<void>();
  await using server = await ScriptedServer.start();
  await using followed = follow(server.url, { ...resumable(), keepAlive: 10 });
  followed.client.on("ping", () => pinged.resolve());
  await server.next();

  await deadline(pinged.promise, PATIENCE_MS);
  await followed.client.dispose();
  await deadline(followed.sockets[0]!.closed, PATIENCE_MS);
});
