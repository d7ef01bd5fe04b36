import { assertEquals } from "@std/assert";
import { DEFAULTS } from "../../src/options.ts";
import { Documents } from "../../src/graphql/documents.ts";
import { createSchema } from "../../src/graphql/schema.ts";
import { HttpStream } from "../support/http_stream.ts";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";

const OFF = { server: { introspection: false } };

/** Ways to ask what the schema holds. */
const INTROSPECTIONS: Readonly<Record<string, string>> = {
  "the schema": "{ __schema { types { name } } }",
  "a type": `{ __type(name: "Room") { name } }`,
  "an alias": `{ viewer: __type(name: "Room") { name } }`,
  "a fragment": "{ ...F } fragment F on Query { __schema { description } }",
  "an inline fragment": "{ ... on Query { ... { __schema { description } } } }",
  "a field that is included": "query ($yes: Boolean! = true) { __schema @include(if: $yes) { description } }",
  "another operation": "query A { viewer { id } } query B { __schema { description } }",
};

for (const [what, query] of Object.entries(INTROSPECTIONS)) {
  Deno.test(`introspection by ${what} is refused where it is off, and only there`, () => {
    const codes = (introspection: boolean) =>
      new Documents(createSchema(), { limits: DEFAULTS.limits, introspection }).check(query)
        .errors?.map(({ extensions }) => extensions["code"]);

    assertEquals(new Set(codes(false)), new Set(["GRAPHQL_VALIDATION_FAILED"]));
    assertEquals(codes(true), undefined);
  });
}

Deno.test("__typename is answered where introspection is off", async () => {
  await using server = await startLocalServer(OFF);

  const { data } = await server.query("{ __typename viewer { __typename } }");

  assertEquals(data, { __typename: "Query", viewer: { __typename: "Viewer" } });
});

/** Mistakes that graphql-js answers with what may have been meant. */
const MISTAKES: readonly (readonly [query: string, variables?: Record<string, unknown>])[] = [
  ["{ viewe { id } }"],
  ["{ viewer { userI } }"],
  [`{ room(roo: "a") { id } }`],
  ["query ($a: Strin) { viewer { id } }"],
  ["{ viewer { ...F } } fragment F on Viewe { id }"],
  ["{ viewer { id @includ(if: true) } }"],
  [`subscription { roomEvents(room: "a", types: [JOINE]) { type } }`],
  [`subscription { message(room: "a") { id } }`],
  [`subscription ($types: [RoomEventType!]!) { roomEvents(room: "a", types: $types) { type } }`, { types: ["JOINE"] }],
  ["query ($types: [RoomEventType!]!) { viewer { id } ...F } fragment F on Query { room(room: $types) { id } }", {
    types: ["JOINE"],
  }],
  [`mutation ($room: ID!) { joinRoo(room: $room) { success } }`, { room: "a" }],
];

for (const introspection of [true, false]) {
  Deno.test(`what was meant is ${introspection ? "" : "not "}told where introspection is ${introspection ? "on" : "off"}`, async () => {
    await using server = await startLocalServer({ server: { introspection } });
    await using client = await RawClient.ready(server.webSocketUrl);
    let told = 0;

    for (const [query, variables] of MISTAKES) {
      client.subscribe("mistake", query, variables);
      const answers = [
        JSON.stringify(await client.next()),
        JSON.stringify(await server.query(query, variables)),
        await streamed(server.url, query, variables),
      ];
      for (const answer of answers) {
        assertEquals(answer.includes("errors") || answer.includes(`"error"`), true, answer);
        if (answer.includes("Did you mean")) told++;
      }
    }

    assertEquals(told > 0, introspection);
  });
}

Deno.test("introspection is on by default while nobody needs a token", async () => {
  await using server = await startLocalServer();

  assertEquals((await server.query("{ __schema { queryType { name } } }")).data.__schema.queryType.name, "Query");
});

async function streamed(url: string, query: string, variables?: Record<string, unknown>): Promise<string> {
  const options = { headers: { accept: "text/event-stream" }, ...(variables === undefined ? {} : { variables }) };
  await using stream = await HttpStream.subscribe(url, query, options);
  return await stream.rest();
}
