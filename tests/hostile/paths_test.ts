import { assertEquals } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { exchange } from "../support/raw_exchange.ts";

const QUERY = `{"query":"mutation{sendMessage(room:\\"paths\\",content:\\"x\\"){success}}"}`;

/** Other ways to write the API's path, or to get at what is no path of the server. */
const PATHS = [
  "//graphql",
  "/graphql/",
  "/graphql//",
  "/GRAPHQL",
  "/GraphQL",
  "/./graphql",
  "/../graphql",
  "/x/../graphql",
  "/%2e/graphql",
  "/%2e%2e/graphql",
  "/%67raphql",
  "/graphql%2f",
  "/%2fgraphql",
  "/graphql%20",
  "/graphql%00",
  "/graphql;x",
  "/graphql;x=1",
  "/graphql.",
  "/graphql.json",
  "/graphql#x",
  "/graphql\\",
  "\\graphql",
  "/graphql/stream",
  "/graphql,",
  "/graphql&query=x",
  "/\xe7raphql",
  "http://localhost/graphql",
  "http://evil.example/graphql",
  "https://localhost/graphql",
  "ws://localhost/graphql",
  "/unused-health-path",
  "/.env",
  "/.git/config",
  "/deno.json",
  "/src/main.ts",
  "/../../etc/passwd",
  "/console.js/..",
  "/__proto__",
  "/constructor",
  "*",
];

for (const pages of [true, false]) {
  Deno.test(`odd paths: there is one way to write the API's path, 404 elsewhere${pages ? "" : ", without pages"}`, async (t) => {
    await using server = await startLocalServer({ server: { pages } });
    const ask = async (line: string, fields = "", body = "") => {
      const request = `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}\r\n${body}`;
      return (await exchange(server.port, request)).responses.map(({ status }) => status);
    };
    const json = `Content-Type: application/json\r\nContent-Length: ${QUERY.length}\r\n`;

    for (const path of PATHS) {
      await t.step(path, async () => {
        // What the parser takes for no path at all it refuses itself.
        const status = /^\\|\xe7/.test(path) ? 400 : 404;
        const answers = await Promise.all([
          ask(`POST ${path}`, json, QUERY),
          ask(`GET ${path}`, "Accept: text/html\r\n"),
          ask(`GET ${path}?query={viewer{userId}}`),
          ask(`OPTIONS ${path}`),
        ]);
        assertEquals(answers, Array(4).fill([status]));
      });
    }
    assertEquals(await ask("POST /graphql", json, QUERY), [200]);
    assertEquals(await ask("POST /graphql?x", json, QUERY), [200]);
    assertEquals(server.telemetry.records.filter(({ level }) => level === "error"), []);
    const { data } = await server.query(`{ room(room: "paths") { messages(last: 10) { nodes { id } } } }`);
    assertEquals(data.room.messages.nodes.length, 2);
  });
}

Deno.test("odd paths: OPTIONS * is answered 404, once", async () => {
  await using server = await startLocalServer();

  const { responses } = await exchange(
    server.port,
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );

  assertEquals(responses.map(({ status }) => status), [404]);
});

Deno.test("/health and /ready are read, and nothing else is done to them", async () => {
  await using server = await startLocalServer();

  for (const path of ["/health", "/ready"]) {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]) {
      const { responses } = await exchange(
        server.port,
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      assertEquals([responses[0]!.status, responses[0]!.headers.allow], [405, "GET, HEAD"], method);
    }
  }
});

Deno.test("h2c: a connection that begins with HTTP/2 is answered 400 and closed", async () => {
  await using server = await startLocalServer();
  const settings = "\0\0\0\x04\0\0\0\0\0";

  const { responses, isClosed } = await exchange(server.port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}`);

  assertEquals([responses.map(({ status }) => status), isClosed], [[400], true]);
});

for (const offer of ["h2c", "h2c, websocket", "HTTP/2.0", "TLS/1.2"]) {
  Deno.test(`h2c: an offer to upgrade to ${offer} is passed over, the request answered, and the connection closed`, async () => {
    await using server = await startLocalServer();
    const request = [
      "POST /graphql HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade, HTTP2-Settings",
      `Upgrade: ${offer}`,
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "Content-Type: application/json",
      `Content-Length: ${QUERY.length}`,
    ];

    const { responses, isClosed } = await exchange(server.port, `${request.join("\r\n")}\r\n\r\n${QUERY}`);

    const [answer] = responses;
    assertEquals([answer!.status, answer!.headers.connection, isClosed], [200, "close", true]);
    assertEquals(JSON.parse(/\{.*\}/s.exec(answer!.body)![0]), { data: { sendMessage: { success: true } } });
  });
}
