import { assert, assertEquals } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { FencedClient } from "../support/fenced_client.ts";
import { HOSTILE_TEXTS } from "../support/hostile_texts.ts";
import { HttpStream } from "../support/http_stream.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

const LIMIT = 65_536;
const CONTENTS = `subscription { messages(room: "lobby") { content event data } }`;
const HISTORY = `{ room(room: "lobby") { messages(last: 300) { nodes { content event data } } } }`;
const BROADCAST = `mutation ($content: String!, $event: String, $data: JSON) {
  broadcast(room: "lobby", content: $content, event: $event, data: $data) { message { content event data } }
}`;
/** Each text as all that a message carries. */
const MESSAGES = HOSTILE_TEXTS.map((text) => ({ content: text, event: text.slice(0, 128), data: { [text]: [text] } }));

for (const [bytes, character] of [[1, "x"], [2, "é"], [3, "汉"], [4, "😀"], [3, "\ud800"]] as const) {
  Deno.test(`a message has at most ${LIMIT} bytes, of ${bytes} a character (${JSON.stringify(character)})`, async () => {
    await using server = await startLocalServer();
    const content = character.repeat(Math.floor(LIMIT / bytes)) + "x".repeat(LIMIT % bytes);

    const fits = await server.query(SEND, { room: "lobby", content });
    const tooMuch = await server.query(SEND, { room: "lobby", content: `${content}x` });

    assertEquals(fits.data.sendMessage.message.content === content, true);
    assertEquals(tooMuch.data, { sendMessage: null });
    assertEquals(tooMuch.errors[0].extensions, { code: "PAYLOAD_TOO_LARGE", limit: LIMIT });
  });
}

Deno.test(`${MESSAGES.length} hostile texts come back as they are from the mutation, the history and over WebSocket`, async () => {
  await using server = await startLocalServer();
  await using reader = await RawClient.ready(server.webSocketUrl);
  reader.subscribe("1", CONTENTS);
  reader.subscribe("2", "{ viewer { userId } }");
  for (let type = ""; type !== "complete";) ({ type } = await reader.next());

  assertEquals(await sendAll(server), MESSAGES);

  const received = [];
  while (received.length < MESSAGES.length) {
    const { type, payload } = await reader.next();
    if (type === "next") received.push(payload.data.messages);
  }
  assertEquals(received, MESSAGES);
  assertEquals((await server.query(HISTORY)).data.room.messages.nodes, MESSAGES);
});

Deno.test(`${MESSAGES.length} hostile texts are each one data line of one event over SSE`, async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, CONTENTS, { headers: { accept: "text/event-stream" } });
  await stream.read(/^retry: 1000\nid: [^\r\n]+\n:\n\n/);

  await sendAll(server);

  const received: unknown[] = [];
  while (received.length < MESSAGES.length) {
    // All lines, as the HTML standard ends them.
    const block = (await stream.read(/^[^]*?(?:\r\n|\n|\r)(?:\r\n|\n|\r)/))[0].split(/\r\n|\n|\r/);
    if (/^(?::|id: [\w.~-]+)$/.test(block[0]!)) continue;
    const [event, data, id, ...rest] = block;
    assertEquals([event, rest], ["event: next", ["", ""]]);
    assert(/^id: [\w.~-]+$/.test(id!), id);
    received.push(JSON.parse(data!.replace(/^data: /, "")).data.messages);
  }
  assertEquals(received, MESSAGES);
});

Deno.test(`${MESSAGES.length} hostile texts are each one part over multipart`, async () => {
  await using server = await startLocalServer();
  const headers = { accept: "multipart/mixed;boundary=graphql;subscriptionSpec=1.0" };
  await using stream = await HttpStream.subscribe(server.url, CONTENTS, { headers });
  await stream.read(/^--graphql/);

  await sendAll(server);

  const received: unknown[] = [];
  while (received.length < MESSAGES.length) {
    const [part] = await stream.read(/^[^]*?\r\n--graphql/);
    const [, json] = /^\r\nContent-Type: application\/json\r\n\r\n([^\r\n]*)\r\n--graphql$/.exec(part)!;
    const { payload } = JSON.parse(json!);
    if (payload !== undefined) received.push(payload.data.messages);
  }
  assertEquals(received, MESSAGES);
});

/** Sends them all, in their order; resolves with what the mutations say was sent. */
async function sendAll(server: LocalServer): Promise<readonly unknown[]> {
  const options = { init: { userId: "ann" }, answers: true, onMessage() {} };
  await using ann = await FencedClient.open(server.webSocketUrl, options);
  const sent = [];
  for (const message of MESSAGES) sent.push((await ann.run(BROADCAST, message)).broadcast.message);
  return sent;
}
