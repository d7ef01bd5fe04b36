import { assertEquals } from "@std/assert";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { exchange, type RawResponse } from "../support/raw_exchange.ts";

const SEND = `mutation { sendMessage(room: "csrf", content: "forged") { success } }`;
const JOIN = `subscription { messages(room: "csrf", join: true) { content } }`;
const JSON_BODY = JSON.stringify({ query: SEND });
const MULTIPART_BODY = [
  "--x",
  `Content-Disposition: form-data; name="operations"`,
  "",
  JSON_BODY,
  "--x",
  `Content-Disposition: form-data; name="map"`,
  "",
  "{}",
  "--x--",
  "",
].join("\r\n");

/** Bodies a page can have sent without asking, and types that look like JSON's; each is answered 415. */
const NO_JSON: Readonly<Record<string, readonly [type: string | undefined, body: string]>> = {
  "a form": ["application/x-www-form-urlencoded", `query=${encodeURIComponent(SEND)}`],
  "a form that holds JSON": ["application/x-www-form-urlencoded", JSON_BODY],
  "a form with files": ["multipart/form-data; boundary=x", MULTIPART_BODY],
  "a form with files whose boundary is named like JSON": ["multipart/form-data; boundary=application/json", JSON_BODY],
  "plain text": ["text/plain", JSON_BODY],
  "plain text in UTF-8": ["text/plain; charset=utf-8", JSON_BODY],
  "plain text and JSON as a parameter": ["text/plain; application/json", JSON_BODY],
  "plain text, JSON quoted": [`text/plain; x="application/json"`, JSON_BODY],
  "plain text, then JSON": ["text/plain, application/json", JSON_BODY],
  "JSON, then plain text": ["application/json, text/plain", JSON_BODY],
  "no type": [undefined, JSON_BODY],
  "an empty type": ["", JSON_BODY],
  "any type": ["*/*", JSON_BODY],
  "bytes": ["application/octet-stream", JSON_BODY],
  "a GraphQL document": ["application/graphql", SEND],
  "JSONP": ["application/jsonp", JSON_BODY],
  "JSON with something in front": ["x-application/json", JSON_BODY],
  "JSON with something behind": ["application/json+x", JSON_BODY],
  "JSON of another kind": ["application/ld+json", JSON_BODY],
  "JSON as text": ["text/json", JSON_BODY],
  "JSON without its first half": ["json", JSON_BODY],
  "a slash too many": ["application//json", JSON_BODY],
  "an answer's type": ["application/graphql-response+json", JSON_BODY],
  "XML": ["application/xml", JSON_BODY],
};

Deno.test("CSRF by simple requests: what a page sends without asking is answered 415, and nothing is done", async (t) => {
  await using server = await startLocalServer();

  for (const [name, [type, body]] of Object.entries(NO_JSON)) {
    await t.step(name, async () => {
      const fields = type === undefined ? [] : [`Content-Type: ${type}`];

      const answer = await ask(server, "POST /graphql", fields, body);

      assertEquals(codeOf(answer), [415, "BAD_USER_INPUT"]);
    });
  }
  await t.step("a form whose query stands in the address", async () => {
    const target = `/graphql?query=${encodeURIComponent(SEND)}`;

    assertEquals((await ask(server, `POST ${target}`, ["Content-Type: text/plain"], "x=y")).status, 415);
    assertEquals((await ask(server, `POST ${target}`, ["Content-Type: application/json"], "{}")).status, 400);
  });

  assertEquals(await contents(server), []);
});

Deno.test("CSRF by simple requests: JSON's own types are taken, however they are written", async () => {
  await using server = await startLocalServer();
  const types = [
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/graphql+json",
  ];

  for (const type of types) {
    assertEquals((await ask(server, "POST /graphql", [`Content-Type: ${type}`], JSON_BODY)).status, 200, type);
  }

  assertEquals((await contents(server)).length, types.length);
});

Deno.test("CSRF by GET: a mutation is answered 405 with what is allowed, whatever else the request says", async (t) => {
  await using server = await startLocalServer();
  const target = `/graphql?query=${encodeURIComponent(SEND)}`;
  const two = encodeURIComponent(`query Read { viewer { userId } } ${SEND.replace("mutation", "mutation Send")}`);
  const requests: Readonly<Record<string, readonly [line: string, fields?: readonly string[]]>> = {
    "alone": [`GET ${target}`],
    "as JSON": [`GET ${target}`, ["Content-Type: application/json"]],
    "with another method in a header": [`GET ${target}`, ["X-HTTP-Method-Override: POST", "X-HTTP-Method: POST"]],
    "with another method in the query": [`GET ${target}&_method=POST`],
    "as a stream": [`GET ${target}`, ["Accept: text/event-stream"]],
    "as multipart": [`GET ${target}`, ["Accept: multipart/mixed;subscriptionSpec=1.0"]],
    "as a page": [`GET ${target}`, ["Accept: text/html"]],
    "by its name beside a query": [`GET /graphql?query=${two}&operationName=Send`],
    "by HEAD": [`HEAD ${target}`],
    "by PUT": [`PUT ${target}`],
    "by DELETE": [`DELETE ${target}`],
  };

  for (const [name, [line, fields]] of Object.entries(requests)) {
    await t.step(name, async () => {
      const { status, headers } = await ask(server, line, fields);

      assertEquals(status, 405);
      assertEquals(headers.allow, line.startsWith("GET") ? "POST" : "GET, POST");
    });
  }

  assertEquals(await contents(server), []);
});

/** What a browser sends for a page of another site, by how the page asks. */
const BY_A_PAGE: Readonly<Record<string, readonly string[]>> = {
  "an EventSource": ["Origin: https://evil.example", "Accept: text/event-stream", "Sec-Fetch-Site: cross-site"],
  "an EventSource of a sandboxed frame": ["Origin: null", "Accept: text/event-stream"],
  "an older browser's EventSource": ["Origin: https://evil.example", "Accept: text/event-stream"],
  "an image": ["Accept: image/*,*/*;q=0.8", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
  "an image of a sibling": ["Accept: image/*,*/*;q=0.8", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors"],
  "a script": ["Accept: */*", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
  "a link": ["Accept: text/html,*/*;q=0.8", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
  "a link of a sibling": ["Accept: text/html,*/*;q=0.8", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate"],
  "a frame": ["Accept: */*", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
};

Deno.test("CSRF by GET: a subscription is refused 403 when a page of another site asks, and nobody joins", async (t) => {
  await using server = await startLocalServer();
  const first = await ask(server, `GET /graphql?query=${encodeURIComponent("{ viewer { userId } }")}`);
  const cookie = first.headers["set-cookie"]!.split(";")[0]!;

  for (const [name, fields] of Object.entries(BY_A_PAGE)) {
    await t.step(name, async () => {
      const answer = await ask(server, `GET /graphql?query=${encodeURIComponent(JOIN)}`, [
        `Cookie: ${cookie}`,
        ...fields,
      ]);

      assertEquals(codeOf(answer), [403, "FORBIDDEN"]);
    });
  }

  const { data } = await server.query(`{ room(room: "csrf") { members { nodes { userId } } } }`);
  assertEquals(data.room.members.nodes, []);
  assertEquals(server.telemetry.events.includes("stream.opened"), false);
});

async function ask(
  { port }: LocalServer,
  line: string,
  fields: readonly string[] = [],
  body = "",
): Promise<RawResponse> {
  const head = [`${line} HTTP/1.1`, "Host: localhost", "Connection: close", ...fields];
  if (body !== "") head.push(`Content-Length: ${body.length}`);
  const { responses } = await exchange(port, `${head.join("\r\n")}\r\n\r\n${body}`);
  assertEquals(responses.length, 1);
  return responses[0]!;
}

function codeOf({ status, body }: RawResponse): readonly [status: number, code: string | undefined] {
  return [status, /"code":"(\w+)"/.exec(body)?.[1]];
}

/** What has been sent to the room. */
async function contents(server: LocalServer): Promise<string[]> {
  const { data } = await server.query(`{ room(room: "csrf") { messages(last: 100) { nodes { content } } } }`);
  return data.room.messages.nodes.map((node: { content: string }) => node.content);
}
