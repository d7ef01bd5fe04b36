import { assertEquals } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { type RawRequest, requestRaw } from "../support/raw_http.ts";

const QUERY = `/graphql?query=${encodeURIComponent("{ viewer { userId } }")}`;
const HEADERS = { host: "localhost", accept: "application/json" };
/** What one address may ask for in two seconds where one user may send one message a second. */
const REQUESTS = 80;

async function open() {
  const clock = new ManualClock();
  const server = await startLocalServer({ limits: { messagesPerSecond: 1 } }, clock);
  const ask = (path = QUERY, request: RawRequest = {}) =>
    requestRaw(server.port, path, { headers: HEADERS, ...request });
  return { clock, server, ask };
}

Deno.test("request flood: one address is answered 429 with Retry-After, another is served, and both are after that time", async () => {
  const { clock, server, ask } = await open();
  await using _server = server;
  const statuses = [];
  for (let sent = 0; sent < REQUESTS; sent++) statuses.push((await ask()).status);
  clock.advance(700);

  const refused = await ask();
  const { errors: [{ extensions }] } = JSON.parse(new TextDecoder().decode(refused.bytes));
  const elsewhere = await ask(QUERY, { localAddress: "127.0.0.2" });

  assertEquals(new Set(statuses), new Set([200]));
  assertEquals([refused.status, refused.headers["retry-after"]], [429, "2"]);
  assertEquals(extensions, { code: "RATE_LIMITED", retryAfterMs: 1_300 });
  assertEquals(elsewhere.status, 200);
  for (let more = 0; more < 5; more++) await ask();
  const notices = server.telemetry.records.filter(({ event }) => event === "limit.reached");
  assertEquals(notices.map(({ fields }) => fields), [{ limit: "requests", network: "127.0.0.1" }]);
  clock.advance(extensions.retryAfterMs);
  assertEquals((await ask()).status, 200);
});

Deno.test("request flood: pages and upgrades are counted, health and readiness are answered all the same", async () => {
  const { server, ask } = await open();
  await using _server = server;
  await using client = await RawClient.ready(server.webSocketUrl);
  for (let sent = 1; sent < REQUESTS; sent++) await ask("/nothing-here");

  const statuses = [];
  for (const path of ["/", "/nothing-here", "/health", "/ready"]) statuses.push((await ask(path)).status);
  const upgrade = await RawClient.connect(server.webSocketUrl).then(() => "open", (error: Error) => error.message);

  assertEquals(statuses, [429, 429, 200, 200]);
  assertEquals(upgrade, "Unexpected server response: 429");
  client.subscribe("v", "{ viewer { userId } }");
  assertEquals((await client.next()).type, "next");
});
