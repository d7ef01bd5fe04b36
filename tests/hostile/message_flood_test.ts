import { assertEquals, assertGreater } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type ProtocolMessage, RawClient } from "../support/raw_client.ts";

const SEND = `mutation ($content: String!) { sendMessage(room: "lobby", content: $content) { success } }`;
const LOBBY = `subscription { messages(room: "lobby") { senderId content } }`;
/** What each may send in a second; twice as much at once. */
const PER_SECOND = 5;
/** What a connection may say at once. */
const FRAMES = 200;
const ROUNDS = 10;

async function open() {
  const clock = new ManualClock();
  const server = await startLocalServer({
    auth: { anonymous: true },
    limits: { messagesPerSecond: PER_SECOND },
  }, clock);
  return { clock, server, connect: (userId: string) => RawClient.ready(server.webSocketUrl, { userId }) };
}

/** Sends and waits for the answer: what it was refused with, or nothing. */
async function send(client: RawClient, id: string, content: string): Promise<string | undefined> {
  client.subscribe(id, SEND, { content });
  return refusalIn(await answerTo(client, id));
}

async function answerTo(client: RawClient, id: string): Promise<ProtocolMessage> {
  for (;;) {
    const message = await client.next();
    if (message.id === id && message.type === "next") return message;
  }
}

function refusalIn({ payload: { errors } }: ProtocolMessage): string | undefined {
  return errors?.[0].extensions.code;
}

Deno.test("message flood: all that others send is accepted and delivered in its order while one sends ten times too much", async () => {
  const { clock, server, connect } = await open();
  await using _server = server;
  await using reader = await connect("reader");
  reader.subscribe("lobby", LOBBY);
  await using mallory = await connect("mallory");
  await using ann = await connect("ann");
  await using bob = await connect("bob");
  const others = [["ann", ann], ["bob", bob]] as const;

  let accepted = 0;
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Less than its connection may say, ten times what its user may send.
    for (let index = 0; index < PER_SECOND * 10; index++) {
      mallory.subscribe(`${round}-${index}`, SEND, { content: `${round}-${index}` });
      for (const [name, client] of index % 25 === 0 ? others : []) {
        assertEquals(await send(client, `${round}-${index}`, `${name} ${round}-${index}`), undefined);
      }
    }
    for (let answered = 0; answered < PER_SECOND * 10;) {
      const message = await mallory.next();
      if (message.type !== "next") continue;
      answered++;
      if (refusalIn(message) === undefined) accepted++;
      else refused++;
    }
    clock.advance(1_000);
  }

  const delivered = new Map<string, string[]>([["ann", []], ["bob", []], ["mallory", []]]);
  while (delivered.get("bob")!.length < ROUNDS * 2 || delivered.get("mallory")!.length < accepted) {
    const { type, payload } = await reader.next();
    if (type !== "next") continue;
    const { senderId, content } = payload.data.messages;
    delivered.get(senderId)!.push(content);
  }
  const inOrder = (name: string) =>
    Array.from({ length: ROUNDS }, (_, round) => [`${name} ${round}-0`, `${name} ${round}-25`]).flat();
  assertEquals([delivered.get("ann"), delivered.get("bob")], [inOrder("ann"), inOrder("bob")]);
  assertEquals([accepted, refused], [ROUNDS * PER_SECOND, ROUNDS * PER_SECOND * 9]);
});

Deno.test("message flood: whoever goes on after RATE_LIMITED is closed with 1013, and can come back", async () => {
  const { server, connect } = await open();
  await using _server = server;
  await using mallory = await connect("mallory");
  await using ann = await connect("ann");

  for (let index = 0; index < 10 * FRAMES; index++) mallory.subscribe(`${index}`, SEND, { content: `${index}` });
  const closed = await mallory.closed;

  assertEquals(closed, { code: 1013, reason: "too many messages" });
  assertEquals(await send(ann, "a", "still here"), undefined);
  await using again = await connect("mallory");
  assertEquals(await send(again, "b", "me again"), "RATE_LIMITED");
});

Deno.test("message flood: guests made at will are bounded by their address, and those of another are not", async () => {
  const { server } = await open();
  await using _server = server;
  const from = (localAddress: string, userId: string) =>
    RawClient.ready(server.webSocketUrl, { userId }, { localAddress });

  let accepted = 0;
  for (let name = 0; name < 30; name++) {
    await using guest = await from("127.0.0.2", `name-${name}`);
    for (let index = 0; index < 10; index++) if (await send(guest, `${index}`, "x") === undefined) accepted++;
  }
  await using ann = await from("127.0.0.3", "ann");

  assertEquals(accepted, 20 * PER_SECOND * 2);
  assertEquals(await send(ann, "a", "from elsewhere"), undefined);
});

Deno.test("message flood: waiting for as long as retryAfterMs says is enough", async () => {
  const { clock, server, connect } = await open();
  await using _server = server;
  await using ann = await connect("ann");
  for (let index = 0; index < 2 * PER_SECOND; index++) await send(ann, `${index}`, "x");
  clock.advance(123);

  ann.subscribe("more", SEND, { content: "more" });
  const { payload: { errors: [{ extensions }] } } = await answerTo(ann, "more");
  assertGreater(extensions.retryAfterMs, 0);
  clock.advance(extensions.retryAfterMs);

  assertEquals(await send(ann, "again", "more"), undefined);
});
