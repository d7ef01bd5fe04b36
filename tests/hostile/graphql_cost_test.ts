import { assertEquals } from "@std/assert";
import { type Bomb, GRAPHQL_BOMBS } from "../support/graphql_bombs.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

/** What a road answered: its status, none over WebSocket, and the first error's code. */
type Outcome = readonly [status: number | string, code: string];

const GRAPHQL_JSON = "application/graphql-response+json";
const MULTIPART = `multipart/mixed;boundary=graphql;subscriptionSpec=1.0,${GRAPHQL_JSON},application/json;q=0.9`;

for (const [shape, bombs] of Object.entries(GRAPHQL_BOMBS)) {
  Deno.test(`${shape}: refused on HTTP, SSE, multipart and WebSocket, and the socket lives`, async () => {
    await using server = await startLocalServer();
    await using client = await RawClient.ready(server.webSocketUrl);

    for (const [index, bomb] of bombs.entries()) {
      const { code, refusedBy } = bomb;
      const status = refusedBy === "execution" ? 200 : 400;
      const place = `${shape}, ${index}: `;
      assertEquals(await post(server, bomb, GRAPHQL_JSON), [status, code], `${place}HTTP`);
      assertEquals(await post(server, bomb, MULTIPART), [status, code], `${place}multipart`);
      const streamStatus = refusedBy === "request" || code === "BAD_USER_INPUT" && refusedBy === undefined ? 400 : 200;
      assertEquals(await post(server, bomb, "text/event-stream"), [streamStatus, code], `${place}SSE`);
      assertEquals(await overSocket(client, bomb), [refusedBy === "execution" ? "next" : "error", code], `${place}WS`);
    }

    client.subscribe("after", "{ viewer { userId } }");
    assertEquals((await client.next()).type, "next");
    assertEquals(await countMessages(server), 0);
  });
}

async function post({ url }: LocalServer, { query, variables }: Bomb, accept: string): Promise<Outcome> {
  const headers = { "content-type": "application/json", accept };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const text = await response.text();
  const { errors } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
  return [response.status, errors[0].extensions.code];
}

async function overSocket(client: RawClient, { query, variables }: Bomb): Promise<Outcome> {
  client.subscribe("bomb", query, { ...variables });
  const { id, type, payload } = await client.next();
  if (type !== "error") assertEquals((await client.next()).type, "complete");
  assertEquals(id, "bomb");
  return [type, (payload.errors ?? payload)[0].extensions.code];
}

async function countMessages(server: LocalServer): Promise<number> {
  const { data } = await server.query(`{ room(room: "a") { messages(last: 300) { nodes { id } } } }`);
  return data.room.messages.nodes.length;
}
