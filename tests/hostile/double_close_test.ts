import { assertEquals } from "@std/assert";
import { FencedClient } from "../support/fenced_client.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

const JOIN = `mutation { joinRoom(room: "lobby") { success } }`;
const PING_MS = 15_000;

/** What ends one connection, all at once. */
interface Ending {
  readonly name: string;
  end(peer: RawSocket, server: LocalServer, clock: ManualClock): Promise<unknown>;
}

const ENDINGS: readonly Ending[] = [
  { name: "two close frames", end: (peer) => Promise.all([peer.close(), peer.close()]) },
  { name: "a close frame and a FIN", end: (peer) => Promise.all([peer.close(), peer.end()]) },
  { name: "a close frame and a reset", end: (peer) => Promise.all([peer.close(), peer.reset()]) },
  {
    name: "a mistake of the protocol and a close frame",
    end: (peer) => Promise.all([peer.send({ type: "connection_init" }), peer.close()]),
  },
  {
    name: "two mistakes of the protocol",
    async end(peer, _server, clock) {
      await peer.send({ type: "connection_init" }, { type: "connection_init" }, { type: "nonsense" });
      await peer.until(/Too many initialisation requests/);
      // It does not answer, so it is cut off.
      clock.advance(1_000);
    },
  },
  {
    name: "a disconnect by the server and a close frame",
    end: (peer, server) => Promise.all([server.query(DISCONNECT), peer.close()]),
  },
  {
    name: "a disconnect by the server, twice, and a reset",
    end: (peer, server) => Promise.all([server.query(DISCONNECT), server.query(DISCONNECT), peer.reset()]),
  },
  {
    name: "silence and a close frame",
    async end(peer, server, clock) {
      for (let pings = 0; pings < 4; pings++) {
        clock.advance(PING_MS);
        // The others answer meanwhile.
        for (let asked = 0; asked < 2; asked++) await server.query("{ viewer { userId } }");
      }
      await peer.close();
    },
  },
];
const DISCONNECT = `mutation { disconnectUser(userId: "ann") { success } }`;

for (const { name, end } of ENDINGS) {
  Deno.test(`double close: ${name} end a connection once`, async () => {
    const calls: string[] = [];
    const clock = new ManualClock();
    await using server = await startLocalServer({
      server: { pingMs: PING_MS, drainMs: 20_000 },
      presence: { leaveGraceMs: 0 },
      onConnect: ({ userId }) => void calls.push(`${userId} connected`),
      onDisconnect: ({ userId }) => void calls.push(`${userId} disconnected`),
    }, clock);
    const events: string[] = [];
    await using watcher = await FencedClient.open(server.webSocketUrl, {
      init: { userId: "watcher" },
      answers: true,
      onMessage: ({ payload }) => events.push(payload.data.roomEvents.type),
    });
    watcher.subscribe("1", `subscription { roomEvents(room: "lobby") { type } }`);
    await watcher.fence();
    const peer = await RawSocket.connect(server.port);
    await peer.send(UPGRADE, { type: "connection_init", payload: { userId: "ann" } });
    await peer.until(/"connection_ack"/);
    await peer.send({ id: "1", type: "subscribe", payload: { query: JOIN } });
    await peer.until(/"complete"/);

    await end(peer, server, clock);
    await server.telemetry.until("connection.closed", 1);
    // Whatever was to close it once more has had its time.
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      await watcher.fence();
    }
    await peer.reset();

    assertEquals(calls, ["watcher connected", "ann connected", "ann disconnected"]);
    assertEquals(events, ["JOINED", "LEFT"]);
    assertEquals(server.telemetry.events.filter((event) => event === "connection.closed").length, 1);
    const { server: { connections }, room } = (await server.query(STATUS)).data;
    assertEquals([connections, room.memberCount], [1, 0]);
  });
}

const STATUS = `{ server { connections } room(room: "lobby") { memberCount } }`;
