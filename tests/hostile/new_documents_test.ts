import { assertEquals, assertGreater } from "@std/assert";
import type { RoomsOptions } from "../../src/mod.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { requestRaw } from "../support/raw_http.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

const KNOWN = "{ viewer { userId } }";
const JSON_TYPES = { "content-type": "application/json", accept: "application/json" };
/** What a document counts, beside the 256 that each does. */
const CHARACTERS = 2_048 - 256;
/** New documents of that size that a user may send at once; those of an address twice as many. */
const AT_ONCE = 64 * 1024 / 2_048;

/** A valid document that the server has not met, and as long as that. */
function newDocument(name: string, start = "query"): string {
  const fields = Array.from({ length: 14 }, (_, index) => `a${index}: room(room: "r") { id head memberCount }`);
  return `${start} ${name} { ${fields.join(" ")} }`.padEnd(CHARACTERS);
}

async function open(options: RoomsOptions = { auth: { anonymous: true } }) {
  const clock = new ManualClock();
  const server = await startLocalServer(options, clock);
  await server.query(KNOWN);
  // What the query just counted is forgotten.
  clock.advance(2_000);
  return {
    clock,
    server,
    connect: (userId: string, localAddress = "127.0.0.1") =>
      RawClient.ready(server.webSocketUrl, { userId }, { localAddress }),
    async post(query: string, headers: Record<string, string> = {}, localAddress = "127.0.0.1") {
      const body = JSON.stringify({ query });
      const request = { method: "POST", headers: { host: "localhost", ...JSON_TYPES, ...headers }, localAddress, body };
      const { status, headers: answered, bytes } = await requestRaw(server.port, "/graphql", request);
      return { status, retryAfter: answered["retry-after"], text: new TextDecoder().decode(bytes) };
    },
  };
}

/** What these documents, sent at once, are refused with, in the order of the answers; undefined for those that are not. */
// deno-lint-ignore no-explicit-any -- the extensions of whatever error
async function ask(client: RawClient, documents: readonly string[]): Promise<any[]> {
  documents.forEach((query, index) => client.subscribe(String(index), query));
  // deno-lint-ignore no-explicit-any -- the extensions of whatever error
  const answers: any[] = [];
  while (answers.length < documents.length) {
    const { type, payload } = await client.next();
    if (type === "next") answers.push(payload.errors?.[0].extensions);
    if (type === "error") answers.push(payload[0].extensions);
  }
  return answers;
}

const many = (count: number, start?: string) =>
  Array.from({ length: count }, () => newDocument(`q${crypto.randomUUID().replaceAll("-", "")}`, start));

const accepted = (answers: readonly unknown[]) => answers.filter((one) => one === undefined).length;

Deno.test("new documents: one WebSocket that floods them is told RATE_LIMITED, and lives; others are answered", async () => {
  const { server, clock, connect } = await open();
  await using _server = server;
  await using mallory = await connect("mallory");
  await using ann = await connect("ann");

  const answers = await ask(mallory, many(AT_ONCE + 50));

  const refused = answers.filter((one) => one !== undefined);
  assertEquals([accepted(answers), refused.length], [AT_ONCE, 50]);
  assertEquals(new Set(refused.map(({ code }) => code)), new Set(["RATE_LIMITED"]));
  assertGreater(refused[0].retryAfterMs, 0);
  assertEquals(await ask(ann, [KNOWN, ...many(1), KNOWN]), [undefined, undefined, undefined]);
  clock.advance(refused[0].retryAfterMs);
  assertEquals(accepted(await ask(mallory, many(1))), 1);
});

Deno.test("new documents: what is known is never counted, however much is asked", async () => {
  const { server, connect } = await open();
  await using _server = server;
  await using mallory = await connect("mallory");
  const [known] = many(1);
  await ask(mallory, [known!]);

  assertEquals(accepted(await ask(mallory, Array.from({ length: 2 * AT_ONCE }, () => known!))), 2 * AT_ONCE);
  assertEquals(accepted(await ask(mallory, many(AT_ONCE))), AT_ONCE - 1);
  assertEquals(accepted(await ask(mallory, [known!, KNOWN])), 2);
});

Deno.test("new documents: what is not valid counts each time, because nobody remembers it", async () => {
  const { server, connect } = await open();
  await using _server = server;
  await using mallory = await connect("mallory");
  const wrong = "{ nobody }".padEnd(CHARACTERS);

  const codes = (await ask(mallory, Array.from({ length: AT_ONCE + 1 }, () => wrong))).map(({ code }) => code);

  assertEquals(codes.slice(0, -1), Array(AT_ONCE).fill("GRAPHQL_VALIDATION_FAILED"));
  assertEquals(codes.at(-1), "RATE_LIMITED");
});

Deno.test("new documents: a flood over HTTP is answered 429 with Retry-After, whatever is asked; others are answered", async () => {
  const { server, connect, post } = await open();
  await using _server = server;
  const mallory = { "x-user-id": "mallory" };

  const statuses = await Promise.all(many(AT_ONCE + 20).map(async (query) => (await post(query, mallory)).status));
  const [query, mutation, stream, parts, source] = many(5);
  const refused = [
    await post(query!, mallory),
    await post(mutation!.replace("query", "mutation"), mallory),
    await post(stream!.replace("query", "subscription"), { ...mallory, accept: "text/event-stream" }),
    await post(parts!.replace("query", "subscription"), {
      ...mallory,
      accept: "multipart/mixed;subscriptionSpec=1.0, application/json",
    }),
  ];

  assertEquals(statuses.filter((status) => status === 200).length, AT_ONCE);
  assertEquals(statuses.filter((status) => status === 429).length, 20);
  for (const { status, retryAfter, text } of refused) {
    const { code, retryAfterMs } = JSON.parse(text).errors[0].extensions;
    assertEquals([status, retryAfter, code, retryAfterMs > 0], [429, "2", "RATE_LIMITED", true], text);
  }
  // An EventSource comes back after a broken connection only.
  const eventSource = await requestRaw(server.port, `/graphql?query=${encodeURIComponent(source!)}`, {
    headers: { host: "localhost", accept: "text/event-stream", ...mallory },
  }).then(({ status }) => status, () => "cut");
  assertEquals(eventSource, "cut");
  assertEquals((await post(KNOWN, mallory)).status, 200);
  assertEquals((await post(many(1)[0]!, { "x-user-id": "ann" })).status, 200);
  await using socket = await connect("mallory");
  assertEquals(accepted(await ask(socket, many(1))), 0);
});

Deno.test("new documents: guests made at will are bounded by their address, and those of another are not", async () => {
  const { server, connect, post } = await open();
  await using _server = server;

  let checked = 0;
  for (let name = 0; name < 8; name++) {
    await using guest = await connect(`name-${name}`, "127.0.0.2");
    checked += accepted(await ask(guest, many(AT_ONCE / 2)));
  }
  await using elsewhere = await connect("ann", "127.0.0.3");

  assertEquals(checked, 2 * AT_ONCE);
  assertEquals((await post(many(1)[0]!, { "x-user-id": "bob" }, "127.0.0.2")).status, 429);
  assertEquals(accepted(await ask(elsewhere, many(1))), 1);
});

for (
  const [who, options] of [
    ["a service", {}],
    ["anybody where rates are off", { auth: { anonymous: true }, limits: { messagesPerSecond: 0 } }],
  ] as const
) {
  Deno.test(`new documents: ${who} may send many more`, async () => {
    const { server, connect } = await open(options);
    await using _server = server;
    await using client = await connect("ann");

    assertEquals(accepted(await ask(client, many(3 * AT_ONCE))), 3 * AT_ONCE);
  });
}

Deno.test("new documents: those of one chunk are begun a few in a turn of the event loop, in their order", async () => {
  let turn = 0;
  const turns: number[] = [];
  await using server = await startLocalServer({
    auth: {
      authorize: (_principal, { kind }) => {
        if (kind === "send") turns.push(turn);
        return true;
      },
    },
  });
  const socket = await RawSocket.connect(server.port);
  await socket.send(UPGRADE, { type: "connection_init" });
  await socket.until(/connection_ack/);
  const known = 'mutation ($c: String!) { sendMessage(room: "lobby", content: $c) { success } }';
  await server.query(known, { c: "first" });
  turns.length = 0;
  let ticking = setImmediate(function tick() {
    turn++;
    ticking = setImmediate(tick);
  });

  // Every third is known, and yet waits for those before it.
  const contents = Array.from({ length: 60 }, (_, index) => String(index));
  await socket.send(...contents.map((content, index) => ({
    id: content,
    type: "subscribe",
    payload: index % 3 === 2
      ? { query: known, variables: { c: content } }
      : { query: `mutation { sendMessage(room: "lobby", content: "${content}") { success } }`.padEnd(CHARACTERS) },
  })));
  await socket.until(/"59","type":"complete"/);
  clearImmediate(ticking);

  const { data } = await server.query(`{ room(room: "lobby") { messages(last: 100) { nodes { content } } } }`);
  assertEquals(data.room.messages.nodes.map(({ content }: { content: string }) => content), ["first", ...contents]);
  const inOneTurn = Math.max(...[...Map.groupBy(turns, (one) => one).values()].map(({ length }) => length));
  // Four new ones and the known between them; a turn as the test counts them may hold two of the server's.
  assertEquals([turns.length, inOneTurn <= 2 * 6], [60, true], String(turns));
  await socket.end();
});

Deno.test("new documents: requests of one chunk are begun a few in a turn of the event loop", async () => {
  let turn = 0;
  const turns: number[] = [];
  await using server = await startLocalServer({
    auth: {
      authorize: () => {
        turns.push(turn);
        return true;
      },
    },
  });
  let ticking = setImmediate(function tick() {
    turn++;
    ticking = setImmediate(tick);
  });
  const requests = Array.from({ length: 40 }, (_, index) => {
    const query = `mutation { m${index}: sendMessage(room: "lobby", content: "x") { success } }`.padEnd(CHARACTERS);
    const body = JSON.stringify({ query });
    const head = ["POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json"];
    return [...head, `Content-Length: ${body.length}`, "", body].join("\r\n");
  });

  // As many on each connection as may wait for their turn there.
  const sockets = await Promise.all(Array.from({ length: 10 }, () => RawSocket.connect(server.port)));
  await Promise.all(sockets.map(async (socket, at) => {
    await socket.send(...requests.slice(4 * at, 4 * at + 4));
    await socket.until(new RegExp(`"m${4 * at + 3}":\\{"success":true`));
  }));
  clearImmediate(ticking);

  const inOneTurn = Math.max(...[...Map.groupBy(turns, (one) => one).values()].map(({ length }) => length));
  assertEquals([turns.length, inOneTurn <= 2 * 4], [40, true], String(turns));
  for (const socket of sockets) await socket.end();
});

Deno.test("new documents: what its client has completed while it waits is not begun, and its id is free", async () => {
  const sent: string[] = [];
  await using server = await startLocalServer({
    auth: {
      authorize: (_principal, action) => {
        if (action.kind === "send") sent.push(action.room);
        return true;
      },
    },
  });
  const socket = await RawSocket.connect(server.port);
  await socket.send(UPGRADE, { type: "connection_init" });
  await socket.until(/connection_ack/);
  const send = (id: string, room: string) => ({
    id,
    type: "subscribe",
    // As much as is checked in one turn.
    payload: { query: `mutation { sendMessage(room: "${room}", content: "x") { success } }`.padEnd(8_192) },
  });

  await socket.send(
    send("a", "one"),
    send("b", "two"),
    { id: "b", type: "complete" },
    send("c", "three"),
    { id: "c", type: "complete" },
    send("c", "four"),
  );
  await socket.until(/"c","type":"complete"/);

  assertEquals(sent, ["one", "four"]);
  await socket.end();
});
