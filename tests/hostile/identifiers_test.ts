import { assertEquals } from "@std/assert";
import { FencedClient } from "../support/fenced_client.ts";
import { LISTED_NAMES } from "../support/hostile_names.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

/** Texts that fit into a connection_init. */
const TEXTS = LISTED_NAMES.map(({ text }) => text).filter(({ length }) => length < 10_000);
const AT_ONCE = 50;
/** What an id may consist of: letters, marks, digits, punctuation, symbols. */
const ID = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u;
const BROADCAST = `mutation ($event: String, $key: String, $data: JSON) {
  broadcast(room: "lobby", event: $event, idempotencyKey: $key, data: $data) {
    duplicate message { id event idempotencyKey data }
  }
}`;

for (const field of ["userId", "sessionId"] as const) {
  Deno.test(`a ${field} is what ${TEXTS.length} listed texts say in NFC, or the connection ends with 4400 or 4401`, async () => {
    await using server = await startLocalServer();

    for (let first = 0; first < TEXTS.length; first += AT_ONCE) {
      await Promise.all(
        TEXTS.slice(first, first + AT_ONCE).map(async (text) => {
          assertEquals(await connect(server, field, text), expectedId(field, text), JSON.stringify(text));
        }),
      );
    }

    assertEquals((await server.query("{ server { connections } }")).data.server.connections, 0);
  });
}

Deno.test(`an event's name and an idempotency key are kept as they are, or refused by their length (${TEXTS.length} listed texts)`, async () => {
  await using server = await startLocalServer();
  await using ann = await FencedClient.open(server.webSocketUrl, {
    init: { userId: "ann" },
    answers: true,
    onMessage() {},
  });
  const objectBefore = Object.getOwnPropertyNames(Object.prototype);

  for (const [at, text] of TEXTS.entries()) {
    const named = await ann.run(BROADCAST, { event: text });
    if (text === "" || text.length > 128) assertEquals(named.errors[0].extensions.code, "BAD_USER_INPUT");
    else assertEquals(named.broadcast.message.event, text);

    // The same key twice is one message, and another spelling of it another key.
    const keyed = await ann.run(BROADCAST, { event: `${at}`, key: text });
    if (text === "" || text.length > 64) assertEquals(keyed.errors[0].extensions.code, "BAD_USER_INPUT");
    else {
      const again = await ann.run(BROADCAST, { event: `${at}`, key: text });
      const first = keyed.broadcast;
      assertEquals([first.duplicate, first.message.idempotencyKey], [false, text]);
      assertEquals(again.broadcast, { ...first, duplicate: true });
    }
  }

  assertEquals(Object.getOwnPropertyNames(Object.prototype), objectBefore);
});

for (
  const data of [
    `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`,
    `[{"__proto__":{"__proto__":{"polluted":true}}}]`,
    `{"toString":1,"hasOwnProperty":2,"then":3,"toJSON":"x"}`,
  ]
) {
  Deno.test(`${data} is data like any other, and nobody's prototype`, async () => {
    await using server = await startLocalServer();
    await using reader = await RawClient.ready(server.webSocketUrl);
    reader.subscribe("1", `subscription { messages(room: "lobby") { data } }`);
    reader.subscribe("2", "{ viewer { userId } }");
    for (let type = ""; type !== "complete";) ({ type } = await reader.next());
    await using sender = await RawClient.ready(server.webSocketUrl);
    const variables = `{"data":${data},"__proto__":{"event":"polluted"}}`;

    sender.send(
      `{"id":"__proto__","type":"subscribe","payload":{"query":${JSON.stringify(BROADCAST)},"variables":${variables}}}`,
    );

    const { id, payload } = await sender.next();
    const { message } = payload.data.broadcast;
    assertEquals([id, message.event, JSON.stringify(message.data)], ["__proto__", null, data]);
    let received = await reader.next();
    while (received.type !== "next") received = await reader.next();
    assertEquals(JSON.stringify(received.payload.data.messages.data), data);
    assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  });
}

/** What the server made of it, or the code of the close. */
async function connect(server: LocalServer, field: "userId" | "sessionId", text: string): Promise<unknown> {
  await using client = await RawClient.connect(server.webSocketUrl);
  client.send({ type: "connection_init", payload: { [field]: text } });
  const acknowledged = client.next().then(({ payload }) => payload[field]);
  const outcome = await Promise.race([acknowledged, client.closed.then(({ code }) => code)]);
  // One that is refused gets no acknowledgement.
  if (typeof outcome === "number") acknowledged.catch(() => {});
  else await client.close();
  return outcome;
}

function expectedId(field: string, text: string): string | number {
  const id = text.slice(0, 2_000).normalize("NFC");
  if (!ID.test(id) || Array.from(id).length > 128) return 4400;
  return field === "userId" && /^(?:guest-|server)/.test(id) ? 4401 : id;
}
