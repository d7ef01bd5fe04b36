import { assertEquals, assertLess } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { SEND } from "../support/documents.ts";
import { HttpStream } from "../support/http_stream.ts";
import { RawClient } from "../support/raw_client.ts";
import { ServerProcess } from "../support/server_process.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { untilSubscribed } from "../support/until_subscribed.ts";

const HEALTHY = 100;
const MESSAGES = 200;
/** By then the one who stalls has been cut off. */
const FIRST_MESSAGES = 24;
/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** What everybody asks for. */
const IDS = `subscription { messages(room: "lobby") { id } }`;
/** What the one who stalls asks for too: 1 MB for each message, 192 MB in all. */
const MUCH = `subscription { messages(room: "lobby") { id content ${
  Array.from({ length: 15 }, (_, at) => `copy${at}: content`).join(" ")
} } }`;

/** Readers over one transport. */
interface Transport {
  readonly name: string;
  /** What the server logs when it has cut a reader off. */
  readonly endEvent: string;
  /** Begins these subscriptions; gives the way to the next message of the first. */
  open(port: number, queries: readonly string[], clients: AsyncDisposableStack): Promise<NextId>;
}

type NextId = () => Promise<string>;

const TRANSPORTS: readonly Transport[] = [{
  name: "WebSocket",
  endEvent: "connection.closed",
  async open(port, queries, clients) {
    const client = clients.use(await RawClient.ready(`ws://127.0.0.1:${port}/graphql`));
    for (const [index, query] of queries.entries()) client.subscribe(String(index), query);
    return async () => (await client.next()).payload.data.messages.id;
  },
}, {
  name: "Server-Sent Events",
  endEvent: "stream.closed",
  async open(port, queries, clients) {
    const url = `http://127.0.0.1:${port}/graphql`;
    const opening = queries.map((query) =>
      HttpStream.subscribe(url, query, { headers: { accept: "text/event-stream" } })
    );
    const [first] = (await Promise.all(opening)).map((stream) => clients.use(stream));
    return async () => JSON.parse((await first!.read(/^data: (.*)\n/m))[1]!).data.messages.id;
  },
}];

for (const { name, endEvent, open } of TRANSPORTS) {
  Deno.test(`G4 a stalled reader is cut off, costs the server little, and ${HEALTHY} others nothing, over ${name}`, async () => {
    await using server = await ServerProcess.start();
    await using proxy = await TcpProxy.start(server.port);
    await using clients = new AsyncDisposableStack();
    await open(proxy.port, [IDS, MUCH], clients);
    // Who gets the same frames as the one who stalls stays for the first messages alone: it is much.
    await using neighbours = new AsyncDisposableStack();
    const neighbour = await open(server.port, [MUCH], neighbours);
    const healthy: NextId[] = [];
    while (healthy.length < HEALTHY) {
      healthy.push(...await Promise.all(Array.from({ length: 50 }, () => open(server.port, [IDS], clients))));
    }
    await untilSubscribed(server, HEALTHY + 3);
    const before = peakBytes(server.pid);
    proxy.stall("toClient");

    for (let sent = 0; sent < MESSAGES; sent++) {
      if (sent === FIRST_MESSAGES) await neighbours.disposeAsync();
      const { body } = await server.post(SEND, { room: "lobby", content: "x".repeat(60_000) });
      const { id } = body.data.sendMessage.message;
      // Everybody else has it before the next one is sent: nothing is missing, none comes twice.
      const readers = sent < FIRST_MESSAGES ? [neighbour, ...healthy] : healthy;
      const ids = await Promise.all(readers.map((next) => next()));
      assertEquals(ids, ids.map(() => id));
    }

    assertLess(peakBytes(server.pid) - before, 150_000_000);
    await deadline(server.logged(endEvent, ({ fields }) => fields.reason === "slow reader"), PATIENCE_MS);
  });
}

/** The most memory that a process has had, in bytes. Linux alone tells. */
function peakBytes(pid: number): number {
  if (Deno.build.os !== "linux") return 0;
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kibibytes) * 1_024;
}
