import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { HttpStream } from "../support/http_stream.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { StockClient } from "../support/stock_client.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;
const MULTIPART = { accept: "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9" };

/** Resolves once the server has logged so many of this event. */
async function logged(server: LocalServer, event: string, count = 1): Promise<void> {
  while (server.telemetry.events.filter((one) => one === event).length < count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

Deno.test("Server-Sent Events begin with retry and the id of where they begin, then bring each event with its id", async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, LOBBY, { headers: { accept: "text/event-stream" } });

  const [, start] = await stream.read(/^retry: 1000\nid: (\S+)\n:\n\n/);
  await server.query(SEND, { room: "lobby", content: "line\nbreak" });
  const [, json, id] = await stream.read(/^event: next\ndata: (.*)\nid: (\S+)\n\n/);

  assertEquals(stream.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assertEquals(stream.headers.get("cache-control"), "no-cache, no-transform");
  const { data, extensions } = JSON.parse(json!);
  assertEquals([data.messages.content, extensions.cursor], ["line\nbreak", id]);
  assert(start !== id);
});

Deno.test("a subscription may come by GET, with variables and operation name", async () => {
  await using server = await startLocalServer();
  const url = new URL(server.url);
  url.searchParams.set(
    "query",
    `query A { viewer { id } } subscription B($room: ID) { messages(room: $room) { content } }`,
  );
  url.searchParams.set("operationName", "B");
  url.searchParams.set("variables", JSON.stringify({ room: "lobby" }));
  await using stream = await HttpStream.open(url, { headers: { accept: "text/event-stream" } });

  await server.query(SEND, { room: "lobby", content: "by GET" });

  await stream.read(/by GET/);
});

Deno.test("a client that accepts anything gets Server-Sent Events, as curl does", async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, LOBBY, { headers: { accept: "*/*" } });

  assertEquals(stream.headers.get("content-type"), "text/event-stream; charset=utf-8");
});

Deno.test("multipart brings each event as a whole part that ends with the next one's delimiter", async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, LOBBY, { headers: MULTIPART });

  await stream.read(/^--graphql/);
  await server.query(SEND, { room: "lobby", content: "part" });
  const [, json] = await stream.read(/^\r\nContent-Type: application\/json\r\n\r\n(.*)\r\n--graphql/);

  assertEquals(stream.headers.get("content-type"), 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"');
  const { payload } = JSON.parse(json!);
  assertEquals(payload.data.messages.content, "part");
  assertMatch(payload.extensions.cursor, /^1/);
});

Deno.test("the operation decides: a query is answered with JSON, whatever stream is accepted", async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, "{ viewer { userId } }", {
    headers: { accept: "text/event-stream, multipart/mixed, application/json" },
  });

  const body = await stream.rest();

  assertMatch(stream.headers.get("content-type")!, /json/);
  assertMatch(JSON.parse(body).data.viewer.userId, /^guest-/);
});

for (const [accept, status] of [["text/event-stream, */*", 400], [MULTIPART.accept, 200]] as const) {
  Deno.test(`a refused subscription that accepts ${accept} is answered ${status} and its errors`, async () => {
    await using server = await startLocalServer();
    await using stream = await HttpStream.subscribe(server.url, `subscription { messages(room: " ") { id } }`, {
      headers: { accept },
    });

    const { errors } = JSON.parse(await stream.rest());

    assertEquals([stream.status, errors[0].extensions.code], [status, "BAD_USER_INPUT"]);
  });
}

Deno.test("a refused subscription that accepts events alone is told so in an event, as graphql-sse wants it", async () => {
  await using server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, `subscription { messages(room: " ") { id } }`, {
    headers: { accept: "text/event-stream" },
  });

  const [, json] = /^event: next\ndata: (.*)\n\nevent: complete\ndata:\n\n$/.exec(await stream.rest()) ?? [];

  assertEquals([stream.status, stream.headers.get("content-type")], [200, "text/event-stream; charset=utf-8"]);
  assertEquals(JSON.parse(json!).errors[0].extensions.code, "BAD_USER_INPUT");
  assertEquals(server.telemetry.events.includes("stream.opened"), false);
});

Deno.test("a refused subscription by GET is answered 400, after which EventSource stays away", async () => {
  await using server = await startLocalServer();
  const query = encodeURIComponent(`subscription { messages(room: " ") { id } }`);
  await using stream = await HttpStream.open(`${server.url}?query=${query}`, {
    headers: { accept: "text/event-stream" },
  });

  const { errors } = JSON.parse(await stream.rest());

  assertEquals([stream.status, errors[0].extensions.code], [400, "BAD_USER_INPUT"]);
});

Deno.test("both formats send a sign of life when nothing happens", async () => {
  await using server = await startLocalServer({ server: { pingMs: 20 } });
  await using events = await HttpStream.subscribe(server.url, LOBBY);
  await using parts = await HttpStream.subscribe(server.url, LOBBY, { headers: MULTIPART });

  await events.read(/\n\n:\n\n/);
  await parts.read(/\r\n\r\n\{\}\r\n--graphql/);
});

for (const accept of ["text/event-stream", MULTIPART.accept]) {
  Deno.test(`G2 a reader that has been told where it is gets what follows at once, as ${accept.split(";")[0]}`, async () => {
    const clock = new ManualClock();
    await using server = await startLocalServer({}, clock);
    await using stream = await HttpStream.subscribe(server.url, LOBBY, { headers: { accept } });

    for (const content of ["one", "two", "three"]) {
      await server.query(SEND, { room: "lobby", content });
      await stream.read(new RegExp(`"${content}"`));
      // All are told of their place within a second.
      clock.advance(1_000);
    }
  });
}

Deno.test("G12 WebSocket, Server-Sent Events and multipart share one selection", async () => {
  await using server = await startLocalServer();
  await using events = await HttpStream.subscribe(server.url, LOBBY);
  await using parts = await HttpStream.subscribe(server.url, LOBBY, { headers: MULTIPART });
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const received = ann.subscribe(LOBBY);
  await ann.settled();

  await ann.run(SEND, { room: "lobby", content: "to all three" });

  const [, fromEvents] = await events.read(/data: (.*)\nid: /);
  const [, fromParts] = await parts.read(/\{"payload":(.*)\}\r\n/);
  assertEquals(fromEvents, fromParts);
  assertEquals(JSON.parse(fromEvents!), await received.next());
});

Deno.test("excludeSelf skips the stream whose session the sender names", async () => {
  await using server = await startLocalServer();
  const headers = { "x-user-id": "ann", "x-session-id": "tab" };
  await using stream = await HttpStream.subscribe(server.url, LOBBY, { headers });
  await using ann = StockClient.as("ann", server.webSocketUrl, { sessionId: "tab" });

  await ann.run(SEND, { room: "lobby", content: "not to me", excludeSelf: true });
  await ann.run(SEND, { room: "lobby", content: "to all" });

  const [, json] = await stream.read(/data: (.*)\nid: /);
  assertEquals(JSON.parse(json!).data.messages.content, "to all");
});

Deno.test("G9 a client that goes leaves nothing behind", async () => {
  await using server = await startLocalServer();
  for (const headers of [{}, MULTIPART]) {
    await using _stream = await HttpStream.subscribe(server.url, LOBBY, { headers: { ...headers } });
  }

  await logged(server, "stream.closed", 2);

  const { data } = await server.query("{ server { connections subscriptions rooms } }");
  assertEquals(data.server, { connections: 0, subscriptions: 0, rooms: 0 });
});

Deno.test("G4 a stream whose reader stops reading is cut off, and the others lose nothing", async () => {
  await using server = await startLocalServer({ limits: { outboxBytes: 100_000 } });
  await using _stalled = await HttpStream.subscribe(server.url, LOBBY);
  await using healthy = await HttpStream.subscribe(server.url, LOBBY);
  const content = "x".repeat(60_000);

  let sent = 0;
  while (!server.telemetry.records.some(({ fields }) => fields.reason === "slow reader")) {
    await server.query(SEND, { room: "lobby", content: `<${sent}>${content}` });
    await healthy.read(new RegExp(`<${sent++}>x{60000}`));
    assert(sent < 2_000, "The stalled reader was never cut off");
  }

  await logged(server, "stream.closed");
  const { data } = await server.query("{ server { connections } }");
  assertEquals(data.server.connections, 1);
});

Deno.test("a stop ends every stream without an end of the subscription, so that clients come back", async () => {
  const server = await startLocalServer();
  await using stream = await HttpStream.subscribe(server.url, LOBBY);

  await server[Symbol.asyncDispose]();

  const rest = await stream.rest();
  assertEquals(rest.includes("event: complete"), false);
});

Deno.test("a stream above the bound of connections is refused with 429 and when to come back", async () => {
  await using server = await startLocalServer({ limits: { connections: 1 } });
  await using _first = await HttpStream.subscribe(server.url, LOBBY);
  await using second = await HttpStream.subscribe(server.url, LOBBY);

  const { errors } = JSON.parse(await second.rest());

  assertEquals([second.status, second.headers.get("retry-after")], [429, "1"]);
  assertEquals(errors[0].extensions, { code: "RATE_LIMITED", retryAfterMs: 1000 });
});

Deno.test("a foreign page's tag cannot open a stream", async () => {
  await using server = await startLocalServer();
  const url = `${server.url}?query=${encodeURIComponent(LOBBY)}`;

  const response = await fetch(url, { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" } });

  assertEquals(response.status, 403);
  await response.body?.cancel();
});

Deno.test("G9 a client that goes while its subscription is being begun leaves nothing behind", async () => {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using server = await startLocalServer({
    auth: {
      authorize: async (_principal, action) => {
        if (action.kind === "admin") return true;
        asked.resolve();
        await gate.promise;
        return true;
      },
    },
  });
  const abort = new AbortController();
  const url = `${server.url}?query=${encodeURIComponent(LOBBY)}`;
  const going = fetch(url, { signal: abort.signal, headers: { accept: "text/event-stream" } });
  await asked.promise;

  abort.abort();
  await going.catch(() => {
    // Aborted: that is the point.
  });
  gate.resolve();
  const { data } = await server.query("{ server { connections subscriptions rooms } }");

  assertEquals(data.server, { connections: 0, subscriptions: 0, rooms: 0 });
});

for (const variables of ["x", [1], 5]) {
  Deno.test(`a subscription with the variables ${JSON.stringify(variables)} is answered 400`, async () => {
    await using server = await startLocalServer();
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: LOBBY, variables }),
    });

    assertEquals([response.status, (await response.json()).errors[0].extensions.code], [400, "BAD_USER_INPUT"]);
  });
}

for (
  const [format, accept] of [["Server-Sent Events", "text/event-stream"], ["multipart", MULTIPART.accept]] as const
) {
  Deno.test(`a page of an allowed origin may read ${format} with credentials, a foreign one is answered 403`, async () => {
    await using server = await startLocalServer({ server: { allowedOrigins: ["https://app.example"] } });
    const open = (origin: string) => HttpStream.subscribe(server.url, LOBBY, { headers: { accept, origin } });
    await using allowed = await open("https://app.example");
    await using foreign = await open("https://app.example.evil.example");

    const headers = ["access-control-allow-origin", "access-control-allow-credentials", "vary"];
    assertEquals(headers.map((name) => allowed.headers.get(name)), ["https://app.example", "true", "Origin"]);
    assertEquals([foreign.status, foreign.headers.get("access-control-allow-origin")], [403, null]);
    assertEquals(JSON.parse(await foreign.rest()).errors[0].extensions.code, "FORBIDDEN");
  });
}

Deno.test("an EventSource that comes during a stop is broken off, not refused: it would never come back", async () => {
  const server = await startLocalServer({}, new ManualClock());
  // The stop waits for this one, which answers no Ping.
  await using waiting = await RawClient.ready(server.webSocketUrl);
  waiting.subscribe(crypto.randomUUID(), LOBBY);
  await server.query(SEND, { room: "lobby", content: "unconfirmed" });
  while ((await waiting.next()).type !== "next");
  const stopped = server[Symbol.asyncDispose]();
  const url = `${server.url}?${new URLSearchParams({ query: LOBBY })}`;

  await assertRejects(() => fetch(url, { headers: { accept: "text/event-stream" } }));
  const refused = await fetch(url, { headers: { accept: "text/event-stream, */*" } });

  assertEquals(refused.status, 503);
  await refused.body?.cancel();
  await waiting[Symbol.asyncDispose]();
  await stopped;
});

Deno.test("G4 a stream that takes nothing of what waits is cut off after two signs of life, one that takes it is not", async () => {
  const clock = new ManualClock();
  await using server = await startLocalServer({ limits: { documentAliases: 60 } }, clock);
  const content = "x".repeat(60_000);
  for (let sent = 0; sent < 16; sent++) await server.query(SEND, { room: "lobby", content });
  // The same message many times over: more than the kernel takes.
  const copies = Array.from({ length: 60 }, (_, copy) => `c${copy}: content`).join(" ");
  const query = `subscription { messages(room: "lobby", last: 16) { ${copies} } }`;
  await using _stalled = await HttpStream.subscribe(server.url, query);
  await using _healthy = await HttpStream.subscribe(server.url, LOBBY);

  for (let beats = 0; beats < 4 && !server.telemetry.records.some(({ event }) => event === "stream.closed"); beats++) {
    clock.advance(15_000);
    await server.query("{ viewer { userId } }");
  }

  await logged(server, "stream.closed");
  const closed = server.telemetry.records.filter(({ event }) => event === "stream.closed");
  assertEquals(closed.map(({ fields }) => fields.reason), ["slow reader"]);
});

for (
  const [format, accept] of [["Server-Sent Events", "text/event-stream"], ["multipart", MULTIPART.accept]] as const
) {
  Deno.test(`G2 a reader of ${format} that has caught up gets what is sent then, also where its place has no word`, async () => {
    await using server = await startLocalServer();
    await server.query(SEND, { room: "lobby", content: "missed" });
    const query = `subscription { messages(room: "lobby", last: 1) { content } }`;
    await using stream = await HttpStream.subscribe(server.url, query, { headers: { accept } });
    await stream.read(/missed/);
    // Behind the turn in which it is told of its place.
    await server.query("{ viewer { userId } }");

    await server.query(SEND, { room: "lobby", content: "live" });

    await stream.read(/live/);
  });
}
