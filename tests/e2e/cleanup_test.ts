import { assert, assertEquals, assertLess } from "@std/assert";
import type { ConnectionInfo, RoomsOptions } from "../../src/options.ts";
import { DEATHS, follow } from "../support/dying_connections.ts";
import { FencedClient } from "../support/fenced_client.ts";
import { collectedHeapBytes, countObjects } from "../support/heap.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { requestRaw } from "../support/raw_http.ts";

const CONNECTIONS = 2_000;
const WARM_UP = 1_000;
const AT_ONCE = 100;
const USERS = 20;
const ROOMS = 5;
/** Rooms in which somebody stays all the time: in the others everything ends with those who go. */
const WITNESSED_ROOMS = 3;
const PING_MS = 15_000;
/** Long enough for two pings without an answer, in milliseconds. */
const SILENT_MS = 4 * PING_MS;
/** How long after the last connection even history, receipts and states are gone, in milliseconds. */
const FORGOTTEN_MS = 600_000;
/** What all of them may leave behind, in bytes: compiled code, but not a session each. */
const LEFT_BYTES = 1_500_000;
/** What there is for each connection, session, membership, subscription and reader of a stream. */
const CLASSES = [
  "SocketConnection",
  "StreamConnection",
  "RunningOperation",
  "OpenSession",
  "HeldMembership",
  "MemoryMember",
  "LiveSelection",
  "OpenFeed",
  "StreamReader",
  "MemorySubscription",
];

Deno.test(`G9 ${CONNECTIONS} connections that end in ${Object.keys(DEATHS).length} ways leave nothing behind`, async () => {
  const clock = new ManualClock();
  const hooks = createHooks();
  const troubles: string[] = [];
  const telemetry: RoomsOptions["telemetry"] = {
    record: (level, event, fields) => level === "error" && troubles.push(`${event} ${JSON.stringify(fields)}`),
  };
  await using server = await startLocalServer({
    ...hooks.options,
    telemetry,
    // Somebody else is asked: connections end while things are being begun.
    auth: { authorize: () => new Promise((resolve) => setImmediate(() => resolve(true))) },
    server: { pingMs: PING_MS, drainMs: 20_000 },
  }, clock);
  const outlive = async (silent: readonly (RawSocket | void)[], ms: number): Promise<void> => {
    // One step a ping, so that the witness can answer.
    for (let passedMs = 0; passedMs < ms; passedMs += PING_MS) {
      clock.advance(PING_MS);
      await witness.fence();
    }
    for (const socket of silent) await socket?.closed;
    await untilLeft(server, { connections: 1, subscriptions: 2 * WITNESSED_ROOMS });
  };
  const die = async (count: number): Promise<void> => {
    for (let round = 0; round < count / AT_ONCE; round++) {
      const deaths = Array.from({ length: AT_ONCE }, (_, at) => dieAs(round * AT_ONCE + at, server.port));
      await outlive(await Promise.all(deaths), SILENT_MS);
    }
    await outlive([], FORGOTTEN_MS);
  };
  const witness = await openWitness(server);
  await outlive([], FORGOTTEN_MS);
  const before = { status: await statusOf(server), objects: await countObjects(CLASSES), timers: clock.pending };
  // What is made once stays: caches, compiled code.
  await die(WARM_UP);
  const heapBytes = collectedHeapBytes();

  await die(CONNECTIONS);

  const leftBytes = collectedHeapBytes() - heapBytes;
  const after = { status: await statusOf(server), objects: await countObjects(CLASSES), timers: clock.pending };
  assertEquals(after, before);
  assertLess(leftBytes, LEFT_BYTES);
  assertEquals(await membersOf(server), []);
  assertEquals(await connectedUsers(server), []);
  await witness.close();
  await untilLeft(server, { connections: 0, subscriptions: 0 });
  assertEquals((await statusOf(server)).rooms, 0);
  assertEquals(hooks.faults(), []);
  assert(hooks.connected() > CONNECTIONS / 2);
  assertEquals(troubles, []);
});

Deno.test("G9 what the test of the ends looks for is there while connections are", async () => {
  await using server = await startLocalServer();
  const before = await countObjects(CLASSES);
  const connection = { port: server.port, userId: userOf(1), room: roomOf(1) };

  const socket = await DEATHS["silence"]!(connection) as RawSocket;
  const during = await countObjects(CLASSES.filter((name) => name !== "StreamConnection"));

  for (const [name, count] of Object.entries(during)) assert(count > before[name]!, name);
  assertEquals(await connectedUsers(server), [connection.userId]);
  await socket.closed;
});

/** The hooks of connections, and what is wrong with how they were called. */
function createHooks() {
  const open = new Set<string>();
  const faults: string[] = [];
  let connected = 0;
  return {
    options: {
      onConnect({ connectionId }: ConnectionInfo): void {
        connected++;
        if (open.has(connectionId)) faults.push("a second onConnect");
        open.add(connectionId);
      },
      onDisconnect({ connectionId }: ConnectionInfo): void {
        if (!open.delete(connectionId)) faults.push("an onDisconnect without an onConnect before it");
      },
    },
    connected: () => connected,
    faults: () => [...faults, ...[...open].map(() => "an onConnect without an onDisconnect")],
  };
}

async function dieAs(number: number, port: number): Promise<RawSocket | void> {
  const deaths = Object.entries(DEATHS);
  const [, die] = deaths[number % deaths.length]!;
  return await die({ port, userId: userOf(number), room: roomOf(number) });
}

function userOf(number: number): string {
  return `user-${number % USERS}`;
}

function roomOf(number: number): string {
  return `room-${number % ROOMS}`;
}

/** Over a connection of its own: those that came before it have been accepted then. */
async function ask(server: LocalServer, query: string) {
  const { bytes } = await requestRaw(server.port, `/graphql?query=${encodeURIComponent(query)}`, {
    headers: { host: "localhost", accept: "application/json" },
  });
  return JSON.parse(new TextDecoder().decode(bytes)).data;
}

async function statusOf(server: LocalServer) {
  return (await ask(server, "{ server { connections subscriptions rooms } }")).server;
}

/** A client that stays, and follows some of what others follow: what they leave in what they share with it is seen. */
async function openWitness(server: LocalServer): Promise<FencedClient> {
  const witness = await FencedClient.open(server.webSocketUrl, {
    init: { userId: "witness" },
    answers: true,
    onMessage() {},
  });
  for (let number = 0; number < WITNESSED_ROOMS; number++) {
    for (const what of ["messages", "events"] as const) {
      witness.subscribe(`${what} ${number}`, follow(what, { room: roomOf(number) }).payload.query);
    }
  }
  await witness.fence();
  return witness;
}

/** Resolves when there are no more of them than these, and none is on its way. */
async function untilLeft(server: LocalServer, expected: { connections: number; subscriptions: number }): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (let quiet = 0; quiet < 3;) {
    const { connections, subscriptions } = await statusOf(server);
    quiet = connections === expected.connections && subscriptions === expected.subscriptions ? quiet + 1 : 0;
    assert(performance.now() < endMs, `${connections} connections and ${subscriptions} subscriptions are left`);
  }
}

async function membersOf(server: LocalServer): Promise<string[]> {
  const rooms = Array.from(
    { length: ROOMS },
    (_, number) => `r${number}: room(room: "${roomOf(number)}") { ...Members }`,
  );
  const data = await ask(
    server,
    `{ ${rooms.join(" ")} } fragment Members on Room { members { nodes { userId } } }`,
  ) as Record<string, { members: { nodes: { userId: string }[] } }>;
  return Object.values(data).flatMap(({ members }) => members.nodes.map(({ userId }) => userId));
}

/** Users who have a session with a connection: they are disconnected. */
async function connectedUsers(server: LocalServer): Promise<string[]> {
  const users = Array.from({ length: USERS }, (_, number) => userOf(number));
  const wasConnected = await Promise.all(users.map(async (userId) => {
    const disconnect = "mutation ($userId: ID!) { disconnectUser(userId: $userId) { success } }";
    return (await server.query(disconnect, { userId })).data.disconnectUser.success;
  }));
  return users.filter((_userId, at) => wasConnected[at]);
}
