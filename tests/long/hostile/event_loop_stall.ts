import { assertEquals } from "@std/assert";
import { getIntrospectionQuery } from "graphql";
import { SEND } from "../../support/documents.ts";
import { RawClient } from "../../support/raw_client.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { untilSubscribed } from "../../support/until_subscribed.ts";

const SUBSCRIBERS = 500;
const LIMIT_MS = 20;
/** The least of so many tries counts: other programs hold the server up too. */
const TRIES = 5;

/** One input that a server accepts, or refuses after it has looked at it. */
interface Input {
  readonly name: string;
  send(server: ServerProcess, client: RawClient): Promise<unknown>;
}

const INPUTS: readonly Input[] = [
  { name: "nothing", send: () => Promise.resolve() },
  {
    name: `a message of 64 KiB to ${SUBSCRIBERS} subscribers`,
    send: (server) => server.post(SEND, { room: "lobby", content: "x".repeat(65_536) }),
  },
  {
    name: `a message of one byte to ${SUBSCRIBERS} subscribers`,
    send: (server) => server.post(SEND, { room: "lobby", content: "x" }),
  },
  {
    name: "a message of 64 KiB that needs escapes",
    send: (server) => server.post(SEND, { room: "attic", content: "\u0001".repeat(65_536 / 2) }),
  },
  { name: "a body of 256 KiB", send: (server) => server.post("{ viewer { userId } }", { x: "x".repeat(261_000) }) },
  {
    name: "a body of 256 KiB of brackets",
    send: async (server) =>
      await (await fetch(server.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: `{"query":"{ viewer { userId } }","variables":{"x":${"[".repeat(130_000)}${"]".repeat(130_000)}}}`,
      })).text(),
  },
  {
    name: "data of 64 KiB in many values",
    send: (server) =>
      server.post(`mutation ($data: JSON) { broadcast(room: "attic", data: $data) { success } }`, {
        data: Array.from({ length: 30_000 }, () => 1),
      }),
  },
  {
    name: "a room's name of 125,000 characters",
    send: (server) => server.post(SEND, { room: "é".repeat(125_000), content: "" }),
  },
  {
    name: "a name of 120,000 marks",
    send: (server) => server.post(SEND, { room: "\u0301\u0323".repeat(60_000), content: "" }),
  },
  { name: "the introspection of everything", send: (server) => server.post(getIntrospectionQuery()) },
  {
    name: "a document of 1,000 tokens, never seen before",
    send: (server) => server.post(`{ ${unique()}: viewer { userId } ${"viewer { userId } ".repeat(240)} }`),
  },
  {
    name: "a document of 1,000 tokens, all wrong",
    send: (server) => server.post(`{ ${unique()}: nothing ${"nothing ".repeat(900)} }`),
  },
  { name: "a document of 250 KB", send: (server) => server.post(`{ ${"viewer { userId } ".repeat(13_000)} }`) },
  {
    name: "a page of the history, 300 messages and 1 MiB",
    send: (server) => server.post(`{ room(room: "full") { messages(last: 300) { nodes { id content } } } }`),
  },
  {
    name: "a frame of 256 KiB on a socket",
    async send(_server, client) {
      client.send({
        id: unique(),
        type: "subscribe",
        payload: { query: "{ viewer { userId } }", variables: { x: "x".repeat(261_000) } },
      });
      while ((await client.next()).type !== "complete");
    },
  },
];

Deno.test(`event loop: no single input of ${INPUTS.length} holds it up for more than ${LIMIT_MS} ms`, async () => {
  await using server = await ServerProcess.startWith({ preload: "tests/support/stall_probe.ts" });
  await using client = await RawClient.ready(server.webSocketUrl);
  for (let sent = 0; sent < 300; sent++) await server.post(SEND, { room: "full", content: "x".repeat(3_000) });
  const clients: RawClient[] = [];
  for (let opened = 0; opened < SUBSCRIBERS / 100; opened++) {
    const subscriber = await RawClient.ready(server.webSocketUrl);
    for (let id = 0; id < 100; id++) {
      subscriber.subscribe(`${id}`, `subscription { messages(room: "lobby") { id content } }`);
    }
    clients.push(subscriber);
  }
  await untilSubscribed(server, SUBSCRIBERS);
  const stall = async (): Promise<number> => {
    server.kill("SIGUSR2");
    return Number((await server.logged("probe.stall")).fields["ms"]);
  };

  const results: Record<string, number> = {};
  for (const { name, send } of INPUTS) {
    let least = Infinity;
    for (let tried = 0; tried < TRIES; tried++) {
      await stall();
      await send(server, client);
      least = Math.min(least, await stall());
    }
    results[name] = Math.round(least * 10) / 10;
  }
  for (const subscriber of clients) await subscriber[Symbol.asyncDispose]();

  console.log("milliseconds for which the event loop was held up", results);
  assertEquals(Object.entries(results).filter(([, ms]) => ms > LIMIT_MS), []);
});

function unique(): string {
  return `a${crypto.randomUUID().replaceAll("-", "")}`;
}
