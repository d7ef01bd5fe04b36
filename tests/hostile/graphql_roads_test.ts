import { assertEquals, assertStringIncludes } from "@std/assert";
import SchemaBuilder from "@pothos/core";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";
import { requestRaw } from "../support/raw_http.ts";

const JSON_TYPE = { "content-type": "application/json" };
const ALIVE = "{ viewer { userId } }";
const SECRET = "postgres://admin:hunter2@db";

/** A schema whose every resolver throws what nobody may see. */
function leakySchema() {
  const fail = () => {
    throw new Error(SECRET);
  };
  const builder = new SchemaBuilder<{ DefaultFieldNullability: false }>({ defaultFieldNullability: false });
  builder.queryType({ fields: (t) => ({ leak: t.string({ nullable: true, resolve: fail }) }) });
  builder.mutationType({ fields: (t) => ({ leak: t.string({ nullable: true, resolve: fail }) }) });
  builder.subscriptionType({
    fields: (t) => ({
      leak: t.string({ nullable: true, subscribe: fail as () => AsyncIterable<never>, resolve: () => "" }),
      late: t.string({
        nullable: true,
        subscribe: async function* () {
          yield 1;
        },
        resolve: fail,
      }),
      ended: t.string({
        nullable: true,
        // deno-lint-ignore require-yield -- it fails before its first event
        subscribe: async function* (): AsyncGenerator<string> {
          await Promise.resolve();
          fail();
        },
        resolve: () => "",
      }),
    }),
  });
  return builder.toSchema();
}

for (
  const query of [
    "{ leak }",
    "mutation { leak }",
    "subscription { leak }",
    "subscription { late }",
    "subscription { ended }",
  ]
) {
  Deno.test(`what a resolver of ${query} throws is seen on no transport`, async () => {
    await using server = await startLocalServer({}, undefined, leakySchema());
    await using client = await RawClient.ready(server.webSocketUrl);
    const answers: string[] = [];

    client.subscribe("leak", query);
    answers.push(JSON.stringify(await client.next()));
    for (
      const accept of [
        "application/json",
        "text/event-stream",
        "multipart/mixed;subscriptionSpec=1.0, application/json",
      ]
    ) {
      // JSON alone is no form for a stream.
      if (query.startsWith("subscription") && accept === "application/json") continue;
      const headers = { ...JSON_TYPE, accept };
      const response = await fetch(server.url, { method: "POST", headers, body: JSON.stringify({ query }) });
      answers.push(await response.text());
    }

    assertEquals(answers.length, query.startsWith("subscription") ? 3 : 4);
    for (const answer of answers) {
      assertStringIncludes(answer, "INTERNAL_SERVER_ERROR");
      assertEquals(answer.includes(SECRET), false, answer);
    }
  });
}

Deno.test("a batch is answered 400 BAD_USER_INPUT over HTTP, and closes a socket with 4400", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const operation = { query: `mutation { sendMessage(room: "a", content: "b") { success } }` };

  const response = await fetch(server.url, {
    method: "POST",
    headers: JSON_TYPE,
    body: JSON.stringify([operation, operation]),
  });
  client.send([{ id: "1", type: "subscribe", payload: operation }, { id: "2", type: "subscribe", payload: operation }]);

  const { errors } = await response.json();
  assertEquals([response.status, errors[0].extensions.code], [400, "BAD_USER_INPUT"]);
  assertEquals((await client.closed).code, 4400);
  const { data } = await server.query(`{ room(room: "a") { messages { nodes { id } } } }`);
  assertEquals(data.room.messages.nodes, []);
});

Deno.test("a batch of queries as the payload of one subscribe message closes its socket with 4400", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);

  client.send({ id: "1", type: "subscribe", payload: [{ query: ALIVE }, { query: ALIVE }] });

  assertEquals((await client.closed).code, 4400);
});

Deno.test("variables nested 200,000 deep are more bytes than any road takes: 413, and 1009", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const text = `{"query":"${ALIVE}","variables":{"data":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`;

  const response = await fetch(server.url, { method: "POST", headers: JSON_TYPE, body: text });
  client.send(`{"id":"1","type":"subscribe","payload":${text}}`);

  assertEquals([response.status, (await response.json()).errors[0].extensions.code], [413, "PAYLOAD_TOO_LARGE"]);
  assertEquals((await client.closed).code, 1009);
});

Deno.test("anything of a body that is nested too deeply is 400 BAD_USER_INPUT, whatever it is called", async () => {
  await using server = await startLocalServer();
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const bodies = [
    `{"query":"${ALIVE}","variables":{"data":${deep}}}`,
    `{"query":"${ALIVE}","extensions":{"data":${deep}}}`,
    `{"query":"${ALIVE}","anything":${deep}}`,
  ];

  for (const body of bodies) {
    const response = await fetch(server.url, { method: "POST", headers: JSON_TYPE, body });

    assertEquals([response.status, (await response.json()).errors[0].extensions.code], [400, "BAD_USER_INPUT"]);
  }
});

Deno.test("extensions nested 100,000 deep in a subscribe message are not looked into", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  client.send(`{"id":"1","type":"subscribe","payload":{"query":"${ALIVE}","extensions":{"headers":${deep}}}}`);

  assertEquals((await client.next()).type, "next");
});

Deno.test("variables nested as deep as a query string has room for are BAD_USER_INPUT", async () => {
  await using server = await startLocalServer();
  const deep = `${"[".repeat(3_000)}${"]".repeat(3_000)}`;
  const ask = async (parameters: Record<string, string>) => {
    const query = String(new URLSearchParams({ query: ALIVE, ...parameters })).replaceAll("%5B", "[").replaceAll(
      "%5D",
      "]",
    );
    const { bytes } = await requestRaw(server.port, `/graphql?${query}`);
    return JSON.parse(new TextDecoder().decode(bytes));
  };

  assertEquals((await ask({ variables: `{"a":${deep}}` })).errors[0].extensions.code, "BAD_USER_INPUT");
  assertEquals((await ask({ extensions: `{"a":${deep}}` })).errors?.[0].extensions.code, undefined);
});

Deno.test("an EventSource that asks for too much is answered 400, and stays away", async () => {
  await using server = await startLocalServer();
  const query = `subscription { messages(room: "a") { ${"id ".repeat(60)} } }`;

  const response = await fetch(`${server.url}?query=${encodeURIComponent(query)}`, {
    headers: { accept: "text/event-stream" },
  });

  assertEquals(response.status, 400);
  assertEquals((await response.json()).errors[0].extensions, { code: "QUERY_TOO_COMPLEX", limit: 50 });
});

Deno.test("a subscription's document and variables are kept, and so have a bound; a mutation's are not", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const padded = `subscription { messages(room: "a") { id } } # ${"x".repeat(16_384)}`;

  client.subscribe("document", padded);
  assertEquals((await client.next()).payload[0].extensions, { code: "PAYLOAD_TOO_LARGE", limit: 16_384 });
  client.subscribe("variables", `subscription ($e: String) { messages(room: "a", event: $e) { id } }`, {
    e: "x".repeat(16_384),
  });
  assertEquals((await client.next()).payload[0].extensions, { code: "PAYLOAD_TOO_LARGE", limit: 16_384 });
  client.subscribe("mutation", `mutation { sendMessage(room: "a", content: "${"x".repeat(60_000)}") { success } }`);
  assertEquals((await client.next()).payload.data, { sendMessage: { success: true } });
});

Deno.test("a refusal for its cost has the same message and limit on every road", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const query = "{ rooms(first: 50) { nodes { messages(last: 50) { nodes { id } } } } }";
  const refusal = {
    message: "Cannot answer with up to 2550 nodes: at most 1000 are allowed, ask for fewer",
    extensions: { code: "QUERY_TOO_COMPLEX", limit: 1_000 },
  };

  client.subscribe("nodes", query);

  assertEquals((await client.next()).payload, [refusal]);
  assertEquals(await server.query(query), { errors: [refusal] });
});

Deno.test("a document is allowed or refused by its variables each time, also when it is known", async () => {
  await using server = await startLocalServer();
  const query = "query ($n: Int!) { rooms(first: $n) { nodes { messages(last: 50) { nodes { id } } } } }";

  const answers = [];
  for (const n of [2, 300, 2, 20]) answers.push(await server.query(query, { n }));

  assertEquals(answers.map(({ errors }) => errors?.[0].extensions.code), [
    undefined,
    "QUERY_TOO_COMPLEX",
    undefined,
    "QUERY_TOO_COMPLEX",
  ]);
});
