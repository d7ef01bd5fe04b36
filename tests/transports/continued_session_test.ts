import { assertEquals } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

const MESSAGES = `subscription { messages(room: "lobby") { content } }`;
const JOIN = `mutation { joinRoom(room: "lobby") { success } }`;
const LEAVE = `mutation { leaveRoom(room: "lobby") { success } }`;
const REMOVE = `mutation { removeFromRoom(room: "lobby", userId: "ann") { success } }`;

/** A server on which ann has joined in one tab, which follows the room by an operation of this id. */
async function open(id: string, init: Record<string, unknown> = {}) {
  const clock = new ManualClock();
  const server = await startLocalServer({ server: { drainMs: 20_000, pingMs: 3_600_000 } }, clock);
  const connect = (more: Record<string, unknown> = init) =>
    RawClient.ready(server.webSocketUrl, { userId: "ann", ...more });
  const tab = await connect();
  tab.subscribe(id, MESSAGES);
  await run(tab, JOIN);
  return {
    clock,
    server,
    connect,
    tab,
    /** Ann's tab breaks off, and the server has noticed it. */
    async drop(): Promise<void> {
      await tab[Symbol.asyncDispose]();
      await server.telemetry.until("connection.closed", 1);
    },
    /** Ann's tab is back, and what that brings about has happened: her membership's sessions, if she is a member. */
    async comeBack() {
      await using back = await connect();
      back.subscribe(id, MESSAGES);
      await run(back, "{ viewer { userId } }");
      const { data } = await server.query(`{ room(room: "lobby") { members { nodes { sessionCount } } } }`);
      return data.room.members.nodes;
    },
    async asAnn(query: string): Promise<void> {
      const headers = { "content-type": "application/json", "x-user-id": "ann" };
      const response = await fetch(server.url, { method: "POST", headers, body: JSON.stringify({ query }) });
      assertEquals((await response.json()).errors, undefined);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Runs one operation to its end. */
async function run(client: RawClient, query: string): Promise<void> {
  const id = `run ${Math.random()}`;
  client.subscribe(id, query);
  for (;;) {
    const message = await client.next();
    if (message.id !== id) continue;
    if (message.type === "complete") return;
    assertEquals(message.payload.errors, undefined);
  }
}

for (const init of [{}, { sessionId: "tab" }]) {
  const what = "sessionId" in init ? "its sessionId" : "its operation alone";

  Deno.test(`G7 a tab known by ${what} stays out of a room its user has left while it was away`, async () => {
    await using world = await open(crypto.randomUUID(), init);
    await world.drop();

    await world.asAnn(LEAVE);

    assertEquals(await world.comeBack(), []);
  });

  Deno.test(`G7 a tab known by ${what} stays out of a room its user was removed from while it was away`, async () => {
    await using world = await open(crypto.randomUUID(), init);
    await world.drop();

    await world.server.query(REMOVE);

    assertEquals(await world.comeBack(), []);
  });

  Deno.test(`G7 a tab known by ${what} is a member again when its session has ended meanwhile`, async () => {
    await using world = await open(crypto.randomUUID(), init);
    await world.drop();

    world.clock.advance(30_000);

    assertEquals(await world.comeBack(), [{ sessionCount: 1 }]);
  });
}

Deno.test("G7 a connection that comes back to its session stays out of a room another connection of it has left", async () => {
  await using world = await open(crypto.randomUUID(), { sessionId: "tab" });
  await using other = await world.connect();
  await world.drop();

  await run(other, LEAVE);

  assertEquals(await world.comeBack(), []);
});

Deno.test("who was removed while away is not brought back by what was known before, however late it comes", async () => {
  await using world = await open(crypto.randomUUID());
  await world.drop();
  world.clock.advance(5_000);
  await world.server.query(REMOVE);
  world.clock.advance(10_000);

  assertEquals(await world.comeBack(), []);
});

Deno.test("a session that goes on under another leaves nothing behind that is waited for: leaving is at once", async () => {
  const id = crypto.randomUUID();
  await using world = await open(id);
  await world.drop();
  await using back = await world.connect();
  await run(back, JOIN);
  back.subscribe(id, MESSAGES);
  await run(back, "{ viewer { userId } }");

  await run(back, LEAVE);

  const { data } = await world.server.query(`{ room(room: "lobby") { memberCount } }`);
  assertEquals(data.room.memberCount, 0);
});

Deno.test("who leaves while its coming back is being allowed is not brought back by that", async () => {
  const gates: PromiseWithResolvers<boolean>[] = [];
  let isHeld = false;
  const authorize = (_principal: unknown, { kind }: { kind: string }): boolean | Promise<boolean> => {
    if (kind !== "join" || !isHeld) return true;
    gates.push(Promise.withResolvers<boolean>());
    return gates.at(-1)!.promise;
  };
  await using server = await startLocalServer({ auth: { authorize } });
  const connect = () => RawClient.ready(server.webSocketUrl, { userId: "ann", sessionId: "tab" });
  const tab = await connect();
  await run(tab, JOIN);
  await tab[Symbol.asyncDispose]();
  await server.telemetry.until("connection.closed", 1);
  isHeld = true;
  await using back = await connect();

  await run(back, LEAVE);
  for (const { resolve } of gates) resolve(true);
  await run(back, "{ viewer { userId } }");

  const { data } = await server.query(`{ room(room: "lobby") { memberCount } }`);
  assertEquals([gates.length, data.room.memberCount], [1, 0]);
});
