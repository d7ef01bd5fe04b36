import { assertEquals, assertRejects } from "@std/assert";
import { RawClient } from "../support/raw_client.ts";
import { TokenWorld } from "../support/token_world.ts";

const VIEWER = "{ viewer { userId } }";
const OTHER = "http://127.0.0.1:1";

async function createWorld() {
  const world = await TokenWorld.start();
  const own = new URL(world.server.url).origin;
  const cookie = `token=${await world.token("ann")}`;
  return {
    ...world,
    world,
    own,
    cookie,
    /** The status of a GET with these headers, and its error's code. */
    async get(query: string, headers: Record<string, string>): Promise<unknown> {
      const url = new URL(world.server.url);
      url.searchParams.set("query", query);
      const response = await fetch(url, { headers: { accept: "text/event-stream, application/json", ...headers } });
      if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
        await response.body!.cancel();
        return response.status;
      }
      const { errors } = await response.json();
      return errors === undefined ? response.status : [response.status, errors[0].extensions.code];
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

const FORBIDDEN = [403, "FORBIDDEN"];
const LOBBY = `subscription { messages(room: "lobby") { content } }`;

Deno.test("a cookie alone opens no WebSocket without an allowed Origin: 403 before 101", async () => {
  await using site = await createWorld();
  const url = site.world.server.webSocketUrl;
  const { cookie, own } = site;

  await assertRejects(() => RawClient.connect(url, { headers: { cookie } }), Error, "403");
  await assertRejects(() => RawClient.connect(url, { headers: { cookie, origin: OTHER } }), Error, "403");
  await assertRejects(() => RawClient.connect(url, { headers: { cookie, origin: "null" } }), Error, "403");
  await using client = await RawClient.connect(url, { headers: { cookie, origin: own } });
  client.send({ type: "connection_init" });

  assertEquals((await client.next()).payload.userId, "ann");
});

Deno.test("a WebSocket without Origin whose token is not in the cookie is let in, whatever cookie there is", async () => {
  await using site = await createWorld();
  const headers = { cookie: site.cookie, authorization: await site.world.token("bob") };
  await using client = await RawClient.connect(site.world.server.webSocketUrl, { headers });

  client.send({ type: "connection_init" });

  assertEquals((await client.next()).payload.userId, "bob");
});

Deno.test("a cookie alone reads and subscribes over HTTP only with a proof of whose page asks", async () => {
  await using site = await createWorld();
  const { cookie, own } = site;

  for (const query of [VIEWER, LOBBY]) {
    assertEquals(await site.get(query, { cookie }), FORBIDDEN, query);
    assertEquals(await site.get(query, { cookie, origin: OTHER }), FORBIDDEN);
    assertEquals(await site.get(query, { cookie, "sec-fetch-site": "same-site" }), FORBIDDEN);
    assertEquals(await site.get(query, { cookie, "last-event-id": "1" }), FORBIDDEN);
    assertEquals(await site.get(query, { cookie, origin: own }), 200);
    assertEquals(await site.get(query, { cookie, "sec-fetch-site": "same-origin" }), 200);
    assertEquals(await site.get(query, { cookie, "apollo-require-preflight": "1" }), 200);
  }
});

Deno.test("a backend that hands on its user's cookie posts JSON, and needs no more", async () => {
  await using site = await createWorld();

  const { data } = await site.world.post(VIEWER, { cookie: site.cookie });

  assertEquals(data.viewer.userId, "ann");
});
