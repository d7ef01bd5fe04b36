import { assertEquals } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

const JSON_TYPE = { "content-type": "application/json" };
const ALIVE = "{ viewer { userId } }";

Deno.test("empty braces, which graphql-js takes for a selection, are answered as JSON on every road", async () => {
  await using server = await startLocalServer();
  await using client = await RawClient.ready(server.webSocketUrl);
  const send = `mutation { sendMessage(room: "a", content: "b") { success message { } } }`;
  const sent = { data: { sendMessage: { success: true, message: {} } } };

  client.subscribe("live", `subscription { messages(room: "a") { } }`);
  client.subscribe("fence", ALIVE);
  while ((await client.next()).id !== "fence") {
    // Live first: what was asked later is answered.
  }
  await client.next();
  assertEquals(await server.query(send), sent);
  const { id, payload } = await client.next();
  client.subscribe("send", send);
  const answers = [await client.next(), await client.next(), await client.next()];

  assertEquals([id, payload.data], ["live", { messages: {} }]);
  assertEquals(answers.find((one) => one.id === "send").payload, sent);
});

for (
  const query of ["{}", "mutation {}", "subscription {}", "subscription { ... {} }", "subscription { __typename }"]
) {
  Deno.test(`${query} is answered without an internal error, and the socket lives`, async () => {
    await using server = await startLocalServer();
    await using client = await RawClient.ready(server.webSocketUrl);
    const type = query.startsWith("subscription") ? "error" : "next";

    client.subscribe("empty", query);
    const message = await client.next();
    if (type === "next") await client.next();
    const headers = { ...JSON_TYPE, accept: "text/event-stream, application/json" };
    const response = await fetch(server.url, { method: "POST", headers, body: JSON.stringify({ query }) });
    client.subscribe("after", ALIVE);

    assertEquals(message.type, type, JSON.stringify(message));
    assertEquals(`${JSON.stringify(message)} ${await response.text()}`.includes("INTERNAL"), false);
    assertEquals((await client.next()).type, "next");
  });
}
