import { assertEquals, assertMatch } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { exchange, type RawResponse } from "../support/raw_exchange.ts";

const HOST = "rooms.example";
const LISTED = ["https://app.example", "http://[2001:db8::1]:8080", "https://b\u00fccher.example"];

/** Origins that are let in: the server's own and those that are listed. */
const LET_IN = [
  "http://rooms.example",
  "https://rooms.example",
  "https://app.example",
  "http://[2001:db8::1]:8080",
  "https://xn--bcher-kva.example",
];

/** Origins that are not; a list stands for as many Origin headers. */
const FOREIGN: readonly (string | readonly string[])[] = [
  "https://evil.example",
  "null",
  "NULL",
  "",
  "*",
  "https://*.app.example",
  // In front of, behind and within a name that is listed.
  "https://app.example.evil.example",
  "https://evil-app.example",
  "https://evilapp.example",
  "https://app.example-evil.example",
  "https://sub.app.example",
  "https://example",
  "https://app.exampl",
  "https://app.example.",
  "https://app_example",
  // Another scheme or port.
  "http://app.example",
  "ftp://app.example",
  "wss://app.example",
  "file://",
  "file:///app.example",
  "chrome-extension://app.example",
  "https://app.example:444",
  "https://app.example:443",
  "https://app.example:",
  "http://rooms.example:8080",
  "http://[2001:db8::1]",
  "http://[2001:db8::2]:8080",
  "http://[2001:db8:0:0:0:0:0:1]:8080",
  "http://[::1]:8080",
  "http://127.0.0.1",
  "http://localhost",
  // More than an origin, or written as none is.
  "https://app.example/",
  "https://app.example/path",
  "https://app.example?query",
  "https://app.example#hash",
  "https://app.example\\.evil.example",
  "https://user@app.example",
  "https://app.example@evil.example",
  "https://app.example:443@evil.example",
  "https://app.example%00.evil.example",
  "https://app.example%2eevil.example",
  "https:app.example",
  "//app.example",
  "app.example",
  "rooms.example",
  "https://evil.example https://app.example",
  "https://app.example, https://evil.example",
  // Names that look alike.
  "https://b\u00fccher.example",
  "https://xn--bcher-kva.example.evil.example",
  "https://xn--pp-hja.example",
  "https://\u00e5pp.example",
  // Two headers.
  ["https://app.example", "https://evil.example"],
  ["https://evil.example", "https://app.example"],
  ["https://app.example", "https://app.example"],
];

const SEND = `mutation { sendMessage(room: \\"origins\\", content: \\"sent\\") { success } }`;
const SUBSCRIBE = `subscription { messages(room: \\"origins\\") { content } }`;
const QUERY = encodeURIComponent("{ viewer { userId } }");

interface Road {
  readonly line: string;
  readonly fields?: readonly string[];
  readonly body?: string;
  /** The status when the Origin is let in. */
  readonly status: number;
}

const ROADS: Readonly<Record<string, Road>> = {
  upgrade: {
    line: "GET /graphql",
    fields: [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Sec-WebSocket-Protocol: graphql-transport-ws",
    ],
    status: 101,
  },
  OPTIONS: { line: "OPTIONS /graphql", fields: ["Access-Control-Request-Method: POST"], status: 204 },
  GET: { line: `GET /graphql?query=${QUERY}`, status: 200 },
  POST: post(SEND, "application/json"),
  SSE: post(SUBSCRIBE, "text/event-stream"),
  multipart: post(SUBSCRIBE, "multipart/mixed;subscriptionSpec=1.0, application/json"),
};

function post(query: string, accept: string): Road {
  const fields = ["Content-Type: application/json", `Accept: ${accept}`];
  return { line: "POST /graphql", fields, body: `{"query":"${query}"}`, status: 200 };
}

/** Sends it as a page of this origin would, and reads the answer as far as it is needed. */
async function ask(port: number, road: Road, origins: readonly string[], cookie?: string): Promise<RawResponse> {
  const { line, fields = [], body = "" } = road;
  const head = [`${line} HTTP/1.1`, `Host: ${HOST}`, ...fields, ...origins.map((origin) => `Origin: ${origin}`)];
  if (cookie !== undefined) head.push(`Cookie: ${cookie}`);
  if (body !== "") head.push(`Content-Length: ${body.length}`);
  const { responses } = await exchange(
    port,
    `${head.join("\r\n")}\r\n\r\n${body}`,
    (received) => received.includes("\r\n\r\n"),
  );
  return responses[0]!;
}

const start = () => startLocalServer({ auth: { anonymous: true }, server: { allowedOrigins: LISTED } });

for (const [name, road] of Object.entries(ROADS)) {
  Deno.test(`cross-site WebSocket hijacking and CORS reflection: ${name} from ${FOREIGN.length} foreign Origins`, async () => {
    await using server = await start();
    const cookie = await guestCookie(server.port);
    const before = await headOf(server.port);

    for (const withCookie of [undefined, cookie]) {
      await Promise.all(FOREIGN.map(async (origin) => {
        const { status, headers } = await ask(server.port, road, [origin].flat(), withCookie);

        const granted = Object.keys(headers).filter((header) => header.startsWith("access-control-"));
        const got = { status, granted, vary: headers.vary, cookie: headers["set-cookie"] };
        assertEquals(got, { status: 403, granted: [], vary: "Origin", cookie: undefined }, `${origin}`);
      }));
    }

    assertEquals(await headOf(server.port), before);
    assertEquals(server.telemetry.events.includes("stream.opened"), false);
  });

  Deno.test(`CORS: ${name} from ${LET_IN.length} Origins that are let in, with credentials`, async () => {
    await using server = await start();
    const cookie = await guestCookie(server.port);

    for (const origin of LET_IN) {
      for (const withCookie of [undefined, cookie]) {
        const { status, headers } = await ask(server.port, road, [origin], withCookie);

        assertEquals(status, road.status, origin);
        if (status === 101) continue;
        assertEquals(headers["access-control-allow-origin"], origin);
        assertEquals(headers["access-control-allow-credentials"], "true");
        assertMatch(headers.vary!, /^Origin(?:,|$)/);
      }
    }
  });

  Deno.test(`CORS: ${name} without Origin comes from no page, and nothing is granted`, async () => {
    await using server = await start();

    const { status, headers } = await ask(server.port, road, []);

    assertEquals(status, road.status);
    assertEquals(Object.keys(headers).filter((header) => header.startsWith("access-control-allow-origin")), []);
    assertEquals(headers["access-control-allow-credentials"], undefined);
  });
}

Deno.test("CORS: an open server on loopback grants pages of this machine what they ask, and no others", async () => {
  await using server = await startLocalServer();
  const answers = await Promise.all(
    ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080", "https://localhost"].map((origin) =>
      fetch(`${server.url}?query=${QUERY}`, { headers: { origin } })
    ),
  );
  const foreign = await fetch(`${server.url}?query=${QUERY}`, { headers: { origin: "http://localhost.evil.example" } });

  for (const answer of answers) assertEquals(answer.headers.get("access-control-allow-credentials"), "true");
  assertEquals([foreign.status, foreign.headers.get("access-control-allow-credentials")], [403, null]);
  for (const answer of [...answers, foreign]) await answer.body?.cancel();
});

Deno.test("every answer varies by Origin: pages, health, what is not found or not understood", async () => {
  await using server = await startLocalServer();
  const lines = [
    "GET /",
    "GET /client.js",
    "GET /health",
    "GET /ready",
    "GET /nothing",
    "PUT /graphql",
    "GET /graphql",
  ];

  for (const line of lines) {
    for (const origin of ["", "Origin: http://localhost:3000\r\n", "Origin: https://evil.example\r\n"]) {
      const request = `${line} HTTP/1.1\r\nHost: localhost\r\n${origin}Connection: close\r\n\r\n`;
      const { responses } = await exchange(server.port, request);

      assertMatch(responses[0]!.headers.vary ?? "", /^Origin(?:,|$)/, `${line} ${origin}`);
    }
  }
});

async function guestCookie(port: number): Promise<string> {
  const { headers } = await ask(port, ROADS.GET!, []);
  return headers["set-cookie"]!.split(";")[0]!;
}

/** Moves with every message of the room. */
async function headOf(port: number): Promise<string> {
  const query = encodeURIComponent(`{ room(room: "origins") { head } }`);
  const answer = await fetch(`http://127.0.0.1:${port}/graphql?query=${query}`);
  return (await answer.json()).data.room.head;
}
