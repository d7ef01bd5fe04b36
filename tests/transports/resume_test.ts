import { assertEquals } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

const LOBBY = `subscription ($after: Cursor) { messages(room: "lobby", after: $after) { content } }`;

/** Sends messages; resolves with the cursor behind the last. */
async function send(server: LocalServer, ...contents: string[]): Promise<string> {
  for (const content of contents) await server.query(SEND, { room: "lobby", content });
  return await head(server, "lobby");
}

async function head(server: LocalServer, room: string): Promise<string> {
  const { data } = await server.query("query ($room: ID!) { room(room: $room) { head } }", { room });
  return data.room.head;
}

/** Connects as a client that comes back with these entries. */
const connect = (server: LocalServer, resume: unknown) => RawClient.ready(server.webSocketUrl, { resume });

/** What comes next: a message's content with what it says of the resume, or what a Ping tells. */
async function next(client: RawClient) {
  const { type, payload } = await client.next();
  if (type === "ping") return payload;
  return [payload.data.messages.content, payload.extensions.recovered];
}

Deno.test("G3 a client that says where it left off goes on exactly there, whatever its id", async () => {
  await using server = await startLocalServer();
  const cursor = await send(server, "had already");
  await send(server, "missed 1", "missed 2");

  await using client = await connect(server, { mine: cursor });
  client.subscribe("mine", LOBBY);

  assertEquals([await next(client), await next(client)], [["missed 1", true], ["missed 2", undefined]]);
});

Deno.test("what a client says itself counts before its receipt, and its receipt before after", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const after = await head(server, "lobby");
  await send(server, "0");
  const first = await RawClient.ready(server.webSocketUrl);
  first.subscribe(id, LOBBY, { after });
  assertEquals(await next(first), ["0", true]);
  first.send({ type: "pong", payload: await next(first) });
  first.subscribe("fence", "{ viewer { userId } }");
  while ((await first.next()).type !== "complete");
  await first[Symbol.asyncDispose]();
  const said = await send(server, "1");
  await send(server, "2");

  const contents = [];
  for (const [operationId, resume] of [[id, undefined], [id, { [id]: said }], [crypto.randomUUID(), undefined]]) {
    await using client = await connect(server, resume);
    client.subscribe(operationId as string, LOBBY, { after });
    let message = await next(client);
    while (!Array.isArray(message)) message = await next(client);
    contents.push(message[0]);
  }

  assertEquals(contents, ["1", "2", "0"]);
});

Deno.test("an entry is for the first operation of its id alone", async () => {
  await using server = await startLocalServer();
  const cursor = await head(server, "lobby");
  await send(server, "missed");
  await using client = await connect(server, { a: cursor });
  client.subscribe("a", LOBBY);
  assertEquals(await next(client), ["missed", true]);
  client.send({ id: "a", type: "complete" });

  client.subscribe("a", LOBBY);
  client.subscribe("fence", "{ viewer { userId } }");
  assertEquals((await client.next()).id, "fence");
});

for (const [what, cursor] of Object.entries({ "no cursor": "nonsense", "no text": 7, "another room's": "attic" })) {
  Deno.test(`G2 an entry that is ${what} counts as lost: the client is told at once and by the next message`, async () => {
    await using server = await startLocalServer();
    const id = crypto.randomUUID();
    const entry = cursor === "attic" ? await head(server, "attic") : cursor;

    await using client = await connect(server, { [id]: entry });
    client.subscribe(id, LOBBY);
    const { gap } = await next(client);
    await send(server, "live");

    assertEquals([gap, await next(client)], [[id], ["live", false]]);
  });
}

for (const resume of ["cursor", 1, ["cursor"]]) {
  Deno.test(`resume as ${JSON.stringify(resume)} is refused with 4400`, async () => {
    await using server = await startLocalServer();
    await using client = await RawClient.connect(server.webSocketUrl);

    client.send({ type: "connection_init", payload: { resume } });

    const reason = "Cannot use resume: must be an object of cursors by operation id";
    assertEquals(await client.closed, { code: 4400, reason });
  });
}

Deno.test("a client that missed nothing is told so by a Ping, without a message", async () => {
  await using server = await startLocalServer();
  const id = crypto.randomUUID();
  const cursor = await send(server, "had already");

  await using client = await connect(server, { [id]: cursor });
  client.subscribe(id, LOBBY);

  assertEquals(await next(client), { rooms: { [id]: cursor }, recovered: [id] });
});

Deno.test("G2 a client that comes back to a server that has lost its streams is told", async () => {
  const id = crypto.randomUUID();
  let cursor: string;
  {
    await using before = await startLocalServer();
    cursor = await send(before, "lost");
  }
  await using server = await startLocalServer();

  await using client = await connect(server, { [id]: cursor });
  client.subscribe(id, LOBBY);

  assertEquals((await next(client)).gap, [id]);
  await send(server, "new");
  assertEquals(await next(client), ["new", false]);
});
