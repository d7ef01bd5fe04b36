import { assertEquals, assertMatch } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { SECRET } from "../support/tokens.ts";

const JSON_TYPE = { "content-type": "application/json" };
const VIEWER = JSON.stringify({ query: "{ viewer { userId } }" });

/** A request nobody should send, with the status and code it gets. */
const REFUSED: Readonly<Record<string, readonly [init: RequestInit, status: number, code: string]>> = {
  "a form": [
    { body: "query=%7Bviewer%7Bid%7D%7D", headers: { "content-type": "application/x-www-form-urlencoded" } },
    415,
    "BAD_USER_INPUT",
  ],
  "plain text": [{ body: VIEWER, headers: { "content-type": "text/plain" } }, 415, "BAD_USER_INPUT"],
  "plain text that names JSON": [
    { body: VIEWER, headers: { "content-type": "text/plain; application/json" } },
    415,
    "BAD_USER_INPUT",
  ],
  "a body that is not JSON": [{ body: "{", headers: JSON_TYPE }, 400, "BAD_USER_INPUT"],
  "a batch": [{ body: `[${VIEWER}]`, headers: JSON_TYPE }, 400, "BAD_USER_INPUT"],
  "a body over 256 KiB": [{ body: "x".repeat(262_145), headers: JSON_TYPE }, 413, "PAYLOAD_TOO_LARGE"],
  "a session id that is none": [
    { body: VIEWER, headers: { ...JSON_TYPE, "x-session-id": "with space" } },
    400,
    "BAD_USER_INPUT",
  ],
  "a foreign Origin": [{ body: VIEWER, headers: { ...JSON_TYPE, origin: "https://evil.example" } }, 403, "FORBIDDEN"],
  "a subscription that accepts JSON alone": [
    {
      body: JSON.stringify({ query: `subscription { messages(room: "a") { id } }` }),
      headers: { ...JSON_TYPE, accept: "application/json" },
    },
    406,
    "BAD_USER_INPUT",
  ],
};

for (const [what, [init, status, code]] of Object.entries(REFUSED)) {
  Deno.test(`HTTP with ${what} is answered ${status} ${code}`, async () => {
    await using server = await startLocalServer();

    const response = await fetch(server.url, { method: "POST", ...init });

    const { errors } = await response.json();
    assertEquals([response.status, errors[0].extensions.code], [status, code]);
  });
}

Deno.test("a body that never says its length is cut at the bound", async () => {
  await using server = await startLocalServer();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
      if (sent > 10_000_000) controller.error(new Error("The server went on reading"));
    },
  });

  const answered = await fetch(server.url, { method: "POST", body, headers: JSON_TYPE }).then(
    async (response) => {
      await response.body?.cancel();
      return response.status;
    },
    () => "cut off",
  );

  assertMatch(String(answered), /^(413|cut off)$/);
});

Deno.test("a query may come by GET, a mutation may not", async () => {
  await using server = await startLocalServer();
  const ask = (query: string) => fetch(`${server.url}?query=${encodeURIComponent(query)}`);

  const query = await ask("{ viewer { userId } }");
  const mutation = await ask(`mutation { sendMessage(room: "a", content: "b") { success } }`);

  assertMatch((await query.json()).data.viewer.userId, /^guest-/);
  assertEquals(mutation.status, 405);
  await mutation.body?.cancel();
});

Deno.test("errors keep their code and place over HTTP", async () => {
  await using server = await startLocalServer();

  const parse = await server.query("{ viewer {");
  const validation = await server.query("{ nobody }");
  const variables = await server.query(SEND, { room: "a" });
  const refusal = await server.query(SEND, { room: "", content: "x" });
  const tooLarge = await server.query(SEND, { room: "a", content: "é".repeat(32_769) });

  const codes = [parse, validation, variables, refusal].map(({ errors }) => errors[0].extensions.code);
  assertEquals(codes, ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "BAD_USER_INPUT"]);
  assertEquals(refusal.errors[0].path, ["sendMessage"]);
  assertEquals(tooLarge.errors[0].extensions, { code: "PAYLOAD_TOO_LARGE", limit: 65_536 });
});

Deno.test("a preflight of an allowed origin names methods and headers, and answers vary by Origin", async () => {
  await using server = await startLocalServer({ server: { allowedOrigins: ["https://app.example"] } });

  const response = await fetch(server.url, { method: "OPTIONS", headers: { origin: "https://app.example" } });

  assertEquals([response.status, response.headers.get("vary")], [204, "Origin"]);
  assertMatch(response.headers.get("access-control-allow-headers")!, /x-user-id, x-session-id/);
  await response.body?.cancel();
});

Deno.test("no answer but a page is kept by a cache, guessed at, or shown in a page of another origin", async () => {
  await using server = await startLocalServer();
  const query = encodeURIComponent("{ viewer { userId } }");
  const post = { method: "POST", headers: JSON_TYPE };
  const answers = await Promise.all([
    fetch(server.url, { ...post, body: VIEWER }),
    fetch(server.url, { ...post, body: "{" }),
    fetch(server.url, { ...post, body: VIEWER, headers: { ...JSON_TYPE, origin: "https://evil.example" } }),
    fetch(server.url, { method: "OPTIONS" }),
    fetch(`${server.url}?query=${query}`, { headers: { authorization: "Bearer token" } }),
    fetch(`${server.url}?query=${query}`, { headers: { accept: "application/graphql-response+json" } }),
    fetch(`${server.url}?query=${encodeURIComponent("{ nobody }")}`),
    fetch(new URL("/health", server.url)),
    fetch(new URL("/nothing", server.url)),
  ]);

  for (const { status, headers, body } of answers) {
    await body?.cancel();
    const names = ["cache-control", "x-content-type-options", "cross-origin-resource-policy", "vary"];
    assertEquals(names.map((name) => headers.get(name)), ["no-store", "nosniff", "same-origin", "Origin"], `${status}`);
  }
});

Deno.test("/health and /ready answer 200, and another path 404", async () => {
  await using server = await startLocalServer();
  const get = async (path: string) => {
    const response = await fetch(new URL(path, server.url));
    return [response.status, (await response.json()).status];
  };

  assertEquals(await get("/health"), [200, "ok"]);
  assertEquals(await get("/ready"), [200, "ready"]);
  assertEquals(await get("/nothing"), [404, undefined]);
});

Deno.test("two servers in one process share nothing", async () => {
  await using one = await startLocalServer({ nodeId: "one" });
  await using two = await startLocalServer({ nodeId: "two" });

  await one.query(SEND, { room: "lobby", content: "only here" });
  const heads = await Promise.all(
    [one, two].map((server) => server.query(`{ server { node } room(room: "lobby") { head } }`)),
  );

  assertEquals(heads.map(({ data }) => data.server.node), ["one", "two"]);
  assertEquals(heads[0].data.room.head === heads[1].data.room.head, false);
});

for (const method of ["PUT", "DELETE", "PATCH"]) {
  Deno.test(`${method} is answered 405 with what is allowed`, async () => {
    await using server = await startLocalServer();

    const response = await fetch(server.url, { method, headers: JSON_TYPE, body: VIEWER });

    assertEquals([response.status, response.headers.get("allow")], [405, "GET, POST"]);
    await response.body?.cancel();
  });
}

Deno.test("an offer to upgrade to h2c is passed over, and the request is answered", async () => {
  await using server = await startLocalServer();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const lines = [
    "POST /graphql HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade, HTTP2-Settings, close",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Content-Type: application/json",
    `Content-Length: ${VIEWER.length}`,
  ];

  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${VIEWER}`));

  assertMatch(await new Response(connection.readable).text(), /^HTTP\/1\.1 200 .*"userId":"guest-/s);
});

Deno.test("data nested too deeply is BAD_USER_INPUT, and costs nobody anything", async () => {
  await using server = await startLocalServer();
  const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const send = (levels: number) =>
    server.query(`mutation ($data: JSON) { sendMessage(room: "a", content: "", data: $data) { success } }`, {
      data: nested(levels),
    });

  const [fits, tooDeep, farTooDeep] = [await send(32), await send(34), await send(6_000)];

  assertEquals(fits.data.sendMessage.success, true);
  for (const { errors } of [tooDeep, farTooDeep]) assertEquals(errors[0].extensions.code, "BAD_USER_INPUT");
});

Deno.test("a stop does not wait for a TCP connection that never asked for anything", async () => {
  const server = await startLocalServer({ server: { drainMs: 60_000 } });
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await server.query("{ viewer { userId } }");

  await server[Symbol.asyncDispose]();

  assertEquals(await silent.read(new Uint8Array(1)), null);
});

Deno.test("a hook that throws or rejects is logged, and the server goes on", async () => {
  await using server = await startLocalServer({
    onConnect: () => {
      throw new Error("thrown by the hook");
    },
    onDisconnect: () => Promise.reject(new Error("rejected by the hook")),
  });
  {
    await using client = await RawClient.ready(server.webSocketUrl);
    client.send({ type: "ping" });
    await client.next();
  }
  while (server.telemetry.events.filter((event) => event === "hook.failed").length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
  }

  assertMatch((await server.query("{ viewer { userId } }")).data.viewer.userId, /^guest-/);
});

Deno.test("variables that are none are 400 for who accepts application/graphql-response+json, and 200 for JSON alone", async () => {
  await using server = await startLocalServer();
  const query = `mutation ($content: String!) { sendMessage(room: "lobby", content: $content) { success } }`;
  const answers: unknown[] = [];

  for (const accept of ["application/graphql-response+json", "application/json"]) {
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ query, variables: { content: {} } }),
    });
    const { data, errors: [{ extensions }] } = await response.json();
    answers.push([response.status, data, extensions]);
  }

  assertEquals(answers, [
    [400, undefined, { code: "BAD_USER_INPUT" }],
    [200, undefined, { code: "BAD_USER_INPUT" }],
  ]);
});

Deno.test("an answer over half the outbox is refused, 413 for who accepts application/graphql-response+json", async () => {
  await using server = await startLocalServer({ limits: { outboxBytes: 100_000 } });
  // Two bytes each: it is by bytes that an answer is too large.
  for (let sent = 0; sent < 3; sent++) await server.query(SEND, { room: "lobby", content: "ä".repeat(10_000) });
  const ask = async (accept: string, last: number) => {
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ query: `{ room(room: "lobby") { messages(last: ${last}) { nodes { content } } } }` }),
    });
    const { data, errors } = await response.json();
    return [response.status, data?.room.messages.nodes.length, errors?.[0].extensions];
  };
  const tooLarge = { code: "PAYLOAD_TOO_LARGE", limit: 50_000 };

  assertEquals(await ask("application/graphql-response+json", 3), [413, undefined, tooLarge]);
  assertEquals(await ask("application/json", 3), [200, undefined, tooLarge]);
  assertEquals(await ask("application/json", 2), [200, 2, undefined]);
});

Deno.test("an answer of exactly half the outbox is given, with one byte more it is not", async () => {
  const query = "{ viewer { userId } }";
  const headers = { "content-type": "application/json", "x-user-id": "somebody" };
  const answers: unknown[] = [];

  for (const outboxBytes of [82, 80]) {
    await using server = await startLocalServer({ limits: { outboxBytes } });
    const response = await fetch(server.url, { method: "POST", headers, body: JSON.stringify({ query }) });
    answers.push(await response.text());
  }

  assertEquals(answers, [
    `{"data":{"viewer":{"userId":"somebody"}}}`,
    `{"errors":[{"message":"Cannot answer with more than 40 bytes: ask for less at once",` +
    `"extensions":{"code":"PAYLOAD_TOO_LARGE","limit":40}}]}`,
  ]);
});

Deno.test("who brings no token is refused before the body has come, and the next request is read behind it", async () => {
  await using server = await startLocalServer({ auth: { jwt: { secret: SECRET } } });
  const peer = await RawSocket.connect(server.port);
  const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

  await peer.send(`${head}Content-Length: ${VIEWER.length}\r\n\r\n{`);
  await peer.until(/^HTTP\/1\.1 401 [^]*"UNAUTHENTICATED"/);
  await peer.send(VIEWER.slice(1));
  await peer.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await peer.until(/HTTP\/1\.1 200 [^]*"ok"/);

  await peer.end();
});

Deno.test("whose token is refused is told so once the body has come", async () => {
  await using server = await startLocalServer({ auth: { jwt: { secret: SECRET } } });
  const peer = await RawSocket.connect(server.port);
  const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x.y.z\r\n";

  await peer.send(`${head}Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{`);
  await peer.until(/^HTTP\/1\.1 400 /);

  await peer.end();
});
