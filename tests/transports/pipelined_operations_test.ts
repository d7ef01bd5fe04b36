import { assertEquals } from "@std/assert";
import { createRooms } from "../../src/mod.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";
import { RawClient } from "../support/raw_client.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

/** The same mutation as one that is run from the document alone, and as two that graphql-js executes. */
const FORMS = {
  planned: 'mutation ($c: String!) { sendMessage(room: "lobby", content: $c) { success } }',
  literal: (content: string) => `mutation { sendMessage(room: "lobby", content: "${content}") { success } }`,
  directive: 'mutation ($c: String!) { sendMessage(room: "lobby", content: $c) { success @include(if: true) } }',
  twoFields: 'mutation ($c: String!) { __typename sendMessage(room: "lobby", content: $c) { success } }',
};
const HISTORY = `{ room(room: "lobby") { messages { nodes { content } } } }`;
const LOBBY = `subscription { messages(room: "lobby") { content } }`;

const subscribe = (id: string, query: string, variables: Record<string, unknown> = {}) => ({
  id,
  type: "subscribe",
  payload: { query, variables },
});

async function openRaw(port: number): Promise<RawSocket> {
  const socket = await RawSocket.connect(port);
  await socket.send(UPGRADE, { type: "connection_init" });
  await socket.until(/connection_ack/);
  return socket;
}

for (const [what, authorize] of [["at once", undefined], ["later", () => Promise.resolve(true)]] as const) {
  Deno.test(`G1 mutations of one chunk are published in their order, whichever way they are run, authorized ${what}`, async () => {
    await using server = await startLocalServer(authorize === undefined ? {} : { auth: { authorize } });
    const socket = await openRaw(server.port);
    const { planned, literal, directive, twoFields } = FORMS;
    const forms = [directive, planned, twoFields, literal("3"), planned, directive, planned];

    await socket.send(...forms.map((query, index) => subscribe(`m${index}`, query, { c: String(index) })));
    await socket.until(/"m6","type":"complete"/);

    const { data } = await server.query(HISTORY);
    assertEquals(data.room.messages.nodes.map(({ content }: { content: string }) => content), [..."0123456"]);
    await socket.end();
  });
}

Deno.test("a joinRoom is asked for before the sendMessage behind it", async () => {
  const asked: string[] = [];
  await using server = await startLocalServer({
    auth: {
      authorize: (_principal, { kind }) => {
        asked.push(kind);
        return true;
      },
    },
  });
  const socket = await openRaw(server.port);

  const join = `mutation { joinRoom(room: "lobby") { success } }`;
  await socket.send(subscribe("join", join), subscribe("send", FORMS.planned, { c: "hi" }));
  await socket.until(/"id":"send","type":"complete"/);

  assertEquals(asked.slice(0, 2), ["join", "send"]);
  await socket.end();
});

Deno.test("what its client has completed is not answered, though nobody has taken its id", async () => {
  const { promise: allowed, resolve: allow } = Promise.withResolvers<boolean>();
  await using server = await startLocalServer({
    auth: { authorize: (_principal, { kind }) => kind === "send" ? allowed : true },
  });
  await using client = await RawClient.ready(server.webSocketUrl);

  client.subscribe("m", FORMS.planned, { c: "hi" });
  client.send({ id: "m", type: "complete" });
  client.subscribe("fence", "{ viewer { userId } }");
  const answered = [(await client.next()).id, (await client.next()).id];
  allow(true);
  client.subscribe("late", FORMS.planned, { c: "late" });
  answered.push((await client.next()).id, (await client.next()).id);

  assertEquals(answered, ["fence", "fence", "late", "late"]);
});

Deno.test("G9 subscribe and complete in one chunk leave no subscription behind, while the socket lives on", async () => {
  await using server = await startLocalServer();
  const socket = await openRaw(server.port);

  await socket.send(subscribe("s", LOBBY), { id: "s", type: "complete" }, subscribe("fence", "{ viewer { userId } }"));
  await socket.until(/"fence","type":"complete"/);

  const { data } = await server.query("{ server { subscriptions } }");
  assertEquals(data.server.subscriptions, 0);
  await socket.end();
});

Deno.test("what is asked after the last words is not done", async () => {
  const asked: string[] = [];
  const server = await startLocalServer({
    auth: {
      authorize: (_principal, { kind }) => {
        asked.push(kind);
        return true;
      },
    },
    server: { drainMs: 20_000 },
  }, new ManualClock());
  const client = await RawClient.ready(server.webSocketUrl);
  const id = crypto.randomUUID();
  client.subscribe(id, LOBBY);
  client.send({ type: "pong", payload: (await client.next()).payload });
  client.subscribe("m", FORMS.planned, { c: "unconfirmed" });
  while ((await client.next()).type !== "complete");

  const stopped = server[Symbol.asyncDispose]();
  // The last Ping: the server waits for its Pong, and the clock stands still.
  const { payload } = await client.next();
  client.subscribe("late", FORMS.planned, { c: "late" });
  client.send({ type: "pong", payload });
  await client.closed;
  await stopped;

  assertEquals(asked, ["read", "send"]);
});

Deno.test("G9 a connection that closes before its connection_init leaves no timer", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({}, clock);
  // The next request of this client is waited for, before and after.
  await server.query("{ viewer { userId } }");
  const idle = clock.pending;

  const socket = await RawSocket.connect(server.port);
  await socket.send(UPGRADE);
  await socket.until(/101 Switching/);
  await socket.end();
  await server.query("{ viewer { userId } }");

  assertEquals(clock.pending, idle);
});

Deno.test("what was broadcast before a stop is published, also what waited for its turn", async () => {
  const server = createRooms({ server: { port: 0, drainMs: 1_000 }, telemetry: new RecordingTelemetry() });
  await server.listen();

  const sent = Array.from({ length: 1_000 }, (_, index) => server.broadcastToRoom("lobby", "tick", index));
  await server.stop();

  assertEquals((await Promise.all(sent)).length, 1_000);
});
