import { assertEquals } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;

/** A subscriber that has been sent a message whose Ping has not gone out yet. */
async function openWithUnconfirmed(clock: ManualClock) {
  const server = await startLocalServer({ server: { drainMs: 20_000 } }, clock);
  const client = await RawClient.ready(server.webSocketUrl);
  const id = crypto.randomUUID();
  client.subscribe(id, LOBBY);
  client.send({ type: "pong", payload: (await client.next()).payload });
  await server.query(SEND, { room: "lobby", content: "unconfirmed" });
  const { payload } = await client.next();
  return { server, client, id, cursor: payload.extensions.cursor };
}

Deno.test("G3 before a stop a last Ping lists all that was sent, and its Pong ends the wait", async () => {
  // The clock stands still: nothing but the Pong can end it.
  const { server, client, id, cursor } = await openWithUnconfirmed(new ManualClock());

  const stopped = server[Symbol.asyncDispose]();
  assertEquals(await client.next(), { type: "ping", payload: { rooms: { [id]: cursor } } });
  client.subscribe(crypto.randomUUID(), LOBBY);
  client.send({ type: "pong", payload: { rooms: { [id]: cursor } } });

  assertEquals(await client.closed, { code: 1012, reason: "server is stopping" });
  await stopped;
});

Deno.test("a client that does not answer the last Ping is sent away after a second", async () => {
  const clock = new ManualClock();
  const { server, client, id, cursor } = await openWithUnconfirmed(clock);

  const stopped = server[Symbol.asyncDispose]();
  assertEquals((await client.next()).payload, { rooms: { [id]: cursor } });
  clock.advance(1_000);

  assertEquals(await client.closed, { code: 1012, reason: "server is stopping" });
  await stopped;
});

Deno.test("a client that has confirmed everything is sent away at once, without a Ping", async () => {
  const server = await startLocalServer({}, new ManualClock());
  const client = await RawClient.ready(server.webSocketUrl);
  client.subscribe(crypto.randomUUID(), LOBBY);
  client.send({ type: "pong", payload: (await client.next()).payload });
  client.subscribe("fence", "{ viewer { userId } }");
  while ((await client.next()).type !== "complete");

  await server[Symbol.asyncDispose]();

  assertEquals(await client.closed, { code: 1012, reason: "server is stopping" });
});
