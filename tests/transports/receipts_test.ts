import { assertEquals } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;
const DEPLOYS = `subscription { messages(room: "lobby", event: "deploy") { content } }`;

const send = (server: LocalServer, content: string) => server.query(SEND, { room: "lobby", content });
const contentOf = (message: { payload: { data: { messages: { content: string } } } }) =>
  message.payload.data.messages.content;

/** The next message that is no Ping. */
async function nextEvent(client: RawClient) {
  for (;;) {
    const message = await client.next();
    if (message.type !== "ping") return message;
  }
}

/** Subscribes and waits for the confirming Ping. */
async function subscribe(server: LocalServer, id: string, query = LOBBY, init: Record<string, unknown> = {}) {
  const client = await RawClient.ready(server.webSocketUrl, init);
  client.subscribe(id, query);
  return { client, ping: await client.next() };
}

/** Reads on to the next Ping, and answers it as a stock client does. */
async function answerPing(client: RawClient) {
  for (;;) {
    const message = await client.next();
    if (message.type !== "ping") continue;
    client.send({ type: "pong", payload: message.payload });
    return message.payload.rooms;
  }
}

/** Resolves once the server has taken everything this client sent before. */
async function fence(client: RawClient): Promise<void> {
  client.subscribe("fence", "{ viewer { userId } }");
  while ((await client.next()).type !== "complete");
}

Deno.test("a subscription whose id is a UUID is confirmed by a Ping that says where it begins", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();

  const { client, ping } = await subscribe(server, id);
  await using _client = client;

  const { data } = await server.query(`{ room(room: "lobby") { head } }`);
  assertEquals(ping, { type: "ping", payload: { rooms: { [id]: data.room.head } } });
});

Deno.test("G2 a client that comes back with the same id goes on where it was, also before any message", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await client[Symbol.asyncDispose]();
  await send(server, "missed 1");
  await send(server, "missed 2");

  const back = await RawClient.ready(server.webSocketUrl);
  await using _back = back;
  back.subscribe(id, LOBBY);

  const [first, second] = [await nextEvent(back), await nextEvent(back)];
  assertEquals([contentOf(first), contentOf(second)], ["missed 1", "missed 2"]);
  assertEquals(first.payload.extensions.recovered, true);
});

Deno.test("G3 what a Pong has confirmed does not come again, what it has not comes at least once", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await send(server, "confirmed");
  await answerPing(client);
  await fence(client);
  await send(server, "in flight");
  await client[Symbol.asyncDispose]();

  await using back = await RawClient.ready(server.webSocketUrl);
  back.subscribe(id, LOBBY);

  assertEquals(contentOf(await nextEvent(back)), "in flight");
});

Deno.test("a client that comes back before its old socket is missed takes the subscription over", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await using old = client;
  await using back = await RawClient.ready(server.webSocketUrl);

  back.subscribe(id, LOBBY);
  await back.next();
  await send(server, "for the new one");
  await fence(old);

  assertEquals(contentOf(await back.next()), "for the new one");
  const { data } = await server.query("{ server { connections subscriptions } }");
  assertEquals(data.server, { connections: 2, subscriptions: 1 });
});

Deno.test("an event that was not asked for moves the place too, without a frame", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client, ping } = await subscribe(server, id, DEPLOYS);
  await using _client = client;

  await send(server, "no deploy");
  const rooms = await answerPing(client);

  const { data } = await server.query(`{ room(room: "lobby") { head } }`);
  assertEquals(rooms, { [id]: data.room.head });
  assertEquals(ping.payload.rooms[id] === rooms[id], false);
});

const NOT_THE_SAME = {
  "another user": [LOBBY, { userId: "eve" }],
  "another document": [LOBBY + " ", { userId: "ann" }],
} as const;

for (const [who, [query, init]] of Object.entries(NOT_THE_SAME)) {
  Deno.test(`${who} with the same id begins anew`, async () => {
    await using server = await startLocalServer();
    const id = crypto.randomUUID();
    const { client } = await subscribe(server, id, LOBBY, { userId: "ann" });
    await client[Symbol.asyncDispose]();
    await send(server, "not for eve");

    const { client: other } = await subscribe(server, id, query, init);
    await using _other = other;
    await send(server, "live");

    assertEquals(contentOf(await other.next()), "live");
  });
}

Deno.test("a Pong nobody pinged for is not believed", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await send(server, "not read");
  const { data } = await server.query(`{ room(room: "lobby") { head } }`);
  for (const rooms of [{ [id]: data.room.head + "0" }, { [crypto.randomUUID()]: data.room.head }, { [id]: 7 }, []]) {
    client.send({ type: "pong", payload: { rooms } });
  }
  await fence(client);
  await client[Symbol.asyncDispose]();

  await using back = await RawClient.ready(server.webSocketUrl);
  back.subscribe(id, LOBBY);

  assertEquals(contentOf(await nextEvent(back)), "not read");
});

Deno.test("a completed subscription has no receipt: the same id begins anew", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await using _client = client;
  client.send({ id, type: "complete" });
  await fence(client);
  await send(server, "while it was not subscribed");

  client.subscribe(id, LOBBY);
  assertEquals((await client.next()).type, "ping");
  await send(server, "live");

  assertEquals(contentOf(await client.next()), "live");
});

Deno.test("an id that is no UUID has no receipts: another client may have chosen it too", async () => {
  await using server = await startLocalServer();
  await using first = await RawClient.ready(server.webSocketUrl);
  first.subscribe("1", LOBBY);
  await fence(first);
  await first[Symbol.asyncDispose]();
  await send(server, "missed");
  await using second = await RawClient.ready(server.webSocketUrl);

  second.subscribe("1", LOBBY);
  await fence(second);
  await send(server, "live");

  assertEquals(contentOf(await second.next()), "live");
});

Deno.test("G6 a mutation sent again with its own id is one message, and answers with the first", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const { client: watcher } = await subscribe(server, crypto.randomUUID());
  await using _watcher = watcher;
  const variables = { room: "lobby", content: "once" };
  const answers = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    await using client = await RawClient.ready(server.webSocketUrl, { userId: "ann" });
    client.subscribe(id, SEND, variables);
    answers.push((await client.next()).payload.data.sendMessage);
  }
  await send(server, "after");

  assertEquals(answers.map(({ duplicate }) => duplicate), [false, true]);
  assertEquals(answers[0].message, answers[1].message);
  assertEquals([await nextEvent(watcher), await nextEvent(watcher)].map(contentOf), ["once", "after"]);
});

Deno.test("G6 the same id with other arguments, another field or another user is another message", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const twice = `mutation {
    a: sendMessage(room: "lobby", content: "same") { duplicate }
    b: sendMessage(room: "lobby", content: "same") { duplicate }
  }`;
  await using ann = await RawClient.ready(server.webSocketUrl, { userId: "ann" });
  await using bob = await RawClient.ready(server.webSocketUrl, { userId: "bob" });

  const duplicates = [];
  for (const [client, content] of [[ann, "one"], [ann, "two"], [bob, "one"]] as const) {
    client.subscribe(id, SEND, { room: "lobby", content });
    duplicates.push((await client.next()).payload.data.sendMessage.duplicate);
    await client.next();
  }
  ann.subscribe(id, twice);

  assertEquals(duplicates, [false, false, false]);
  assertEquals((await ann.next()).payload.data, { a: { duplicate: false }, b: { duplicate: false } });
});

Deno.test("a client that never answers keeps no receipt, however often it comes back", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ server: { pingMs: 3_600_000 } }, clock);
  const id = crypto.randomUUID();
  const { client } = await subscribe(server, id);
  await client[Symbol.asyncDispose]();
  await send(server, "missed once");
  const back = await RawClient.ready(server.webSocketUrl);
  back.subscribe(id, LOBBY);
  assertEquals(contentOf(await nextEvent(back)), "missed once");
  await fence(back);
  clock.advance(5_001);
  await back[Symbol.asyncDispose]();
  await send(server, "missed for good");

  await using again = await RawClient.ready(server.webSocketUrl);
  again.subscribe(id, LOBBY);
  await fence(again);
  await send(server, "live");

  assertEquals(contentOf(await nextEvent(again)), "live");
});
