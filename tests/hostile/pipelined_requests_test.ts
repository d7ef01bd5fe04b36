import { assertEquals, assertLess } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { startLocalServer } from "../support/local_server.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

const HEAD = "Host: localhost\r\nContent-Type: application/json\r\n";
/** Requests that one connection may have sent ahead of the one that is being answered. */
const MAX_WAITING = 4;

Deno.test("pipelined requests are run one by one, in their order, each once the one before it is answered", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.server.port);

  await peer.send(Array.from({ length: 1 + MAX_WAITING }, (_, at) => world.ask(`slow-${at}`)).join(""));
  for (let at = 0; at <= MAX_WAITING; at++) {
    await world.asked(`slow-${at}`);
    // Somebody else is served: by then what could have begun has.
    await world.server.query(`{ viewer { userId } }`);
    assertEquals(world.begun, at + 1);
    world.answer(`slow-${at}`);
    await peer.until(new RegExp(`"id":"slow-${at}"`));
  }

  await peer.end();
});

Deno.test("one pipelined request more than may wait cuts the connection, and none of those that wait is run", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.server.port);

  await peer.send(Array.from({ length: 150 }, (_, at) => world.ask(`slow-${at}`)).join(""));
  await peer.closed;

  world.answer("slow-0");
  await world.server.query(`{ viewer { userId } }`);
  assertLess(world.begun, 2);
});

Deno.test("what is pipelined behind a stream is never run, and cuts it when it is too much", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.server.port);
  const stream = encodeURIComponent(`subscription { messages(room: "lobby") { content } }`);
  await peer.send(`GET /graphql?query=${stream} HTTP/1.1\r\n${HEAD}Accept: text/event-stream\r\n\r\n`);
  await peer.until(/text\/event-stream[^]*id: /);

  for (let at = 0; at < MAX_WAITING; at++) await peer.send(world.ask(`slow-${at}`));
  await world.server.query(SEND, { room: "lobby", content: "still here" });
  await peer.until(/still here/);
  await peer.send(world.ask("slow-last"));
  await peer.closed;

  assertEquals(world.begun, 0);
});

Deno.test("what is pipelined behind an answer that closes the connection is not run", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.server.port);

  // Of two hosts, a proxy may have gone by the other: whatever comes behind that is not to be relied on.
  await peer.send(world.ask("slow-0", "Host: other\r\n") + world.ask("slow-1"));
  await peer.until(/must have one host header/);
  await peer.closed;

  await world.server.query(`{ viewer { userId } }`);
  assertEquals(world.begun, 0);
});

Deno.test("a WebSocket asked for behind requests that wait is cut", async () => {
  await using world = await open();
  const peer = await RawSocket.connect(world.server.port);

  await peer.send(world.ask("slow-0") + world.ask("slow-1") + UPGRADE);
  await peer.closed;

  world.answer("slow-0");
  await world.server.query(`{ viewer { userId } }`);
  assertEquals(world.begun, 1);
});

/** A server that answers a question about a room called slow-… when the test says so. */
async function open() {
  const gates = new Map<string, Gate>();
  const gate = (room: string): Gate => {
    const known = gates.get(room) ?? { asked: Promise.withResolvers<void>(), answer: Promise.withResolvers<void>() };
    gates.set(room, known);
    return known;
  };
  let begun = 0;
  const server = await startLocalServer({
    auth: {
      authorize: async (_principal, action) => {
        if (!("room" in action) || !action.room?.startsWith("slow")) return true;
        begun++;
        gate(action.room).asked.resolve();
        await gate(action.room).answer.promise;
        return true;
      },
    },
  });
  return {
    server,
    get begun() {
      return begun;
    },
    asked: (room: string) => gate(room).asked.promise,
    answer: (room: string) => gate(room).answer.resolve(),
    ask(room: string, headers = ""): string {
      const body = JSON.stringify({ query: `{ room(room: "${room}") { id } }` });
      return `POST /graphql HTTP/1.1\r\n${HEAD}${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Gate {
  readonly asked: PromiseWithResolvers<void>;
  readonly answer: PromiseWithResolvers<void>;
}
