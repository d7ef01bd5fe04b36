import { assertEquals, assertLess } from "@std/assert";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { exchange } from "../support/raw_exchange.ts";
import { MARKER, ROOM, SMUGGLED } from "./smuggled_requests.ts";

for (const [what, requests] of Object.entries(SMUGGLED)) {
  Deno.test(`header smuggling: ${what}`, async (t) => {
    await using server = await startLocalServer();

    for (const [name, { text, statuses }] of Object.entries(requests)) {
      await t.step(`${name} → ${statuses.join(" ") || "closed"}`, async () => {
        const before = await messagesIn(server);

        const { responses, isClosed } = await exchange(server.port, text + MARKER);

        assertEquals(responses.map(({ status }) => status), statuses);
        assertEquals(isClosed, true);
        const sent = responses.filter(({ body }) => body.includes(`"success":true`)).length;
        assertEquals(await messagesIn(server) - before, sent, "something was executed that was not answered");
      });
    }

    const failures = server.telemetry.records.filter(({ level }) => level === "error");
    assertEquals(failures, []);
  });
}

Deno.test("header smuggling: a malformed Host is refused on every road of a server that is open to any name", async (t) => {
  await using server = await startLocalServer({ auth: { anonymous: true } });
  const roads = ["GET /", "GET /graphql", "GET /ready", "GET /nothing", "OPTIONS /graphql", "POST /graphql", "PUT /x"];

  for (
    const host of ["Host: a\r\nHost: b", "X: y", "Host: ", "Host: [::1", "Host: a b", "Host: a:99999", "Host: a, b"]
  ) {
    await t.step(JSON.stringify(host), async () => {
      for (const road of roads) {
        const { responses, isClosed } = await exchange(server.port, `${road} HTTP/1.1\r\n${host}\r\n\r\n${MARKER}`);

        assertEquals([responses.map(({ status }) => status), isClosed], [[400], true], road);
      }
    });
  }
  const { responses } = await exchange(server.port, MARKER.replace("localhost", "rooms.example"));
  assertEquals(responses[0]!.status, 200);
});

Deno.test("a request that is refused leaves one short line in the log, whatever it says", async () => {
  await using server = await startLocalServer();
  const long = "x".repeat(7_000);

  await exchange(
    server.port,
    `GET /${long}?token=secret HTTP/1.1\r\nHost: localhost\r\nOrigin: http://${long}\r\nConnection: close\r\n\r\n`,
  );

  const { records } = server.telemetry;
  assertEquals(records.map(({ level, event }) => `${level} ${event}`), ["warn request.refused"]);
  assertLess(JSON.stringify(records).length, 1_000);
  assertEquals(JSON.stringify(records).includes("secret"), false);
});

/** How many there are in the room. */
async function messagesIn(server: LocalServer): Promise<number> {
  const { data } = await server.query(
    `query ($room: ID!) { room(room: $room) { messages(last: 300) { nodes { id } } } }`,
    {
      room: ROOM,
    },
  );
  return data.room.messages.nodes.length;
}
