import { assertEquals, assertStringIncludes } from "@std/assert";
import { MARKER, ROOM, SMUGGLED } from "../../hostile/smuggled_requests.ts";
import { startLocalServer } from "../../support/local_server.ts";
import { isInstalled, type ProxyKind, startProxy } from "../../support/proxy_process.ts";
import { exchange } from "../../support/raw_exchange.ts";

const PROXIES: readonly ProxyKind[] = ["nginx", "haproxy"];

for (const kind of PROXIES) {
  const name = `header smuggling behind ${kind}: what is done was answered, and the next client has its own answer`;
  if (!isInstalled(kind)) {
    Deno.test.ignore(`${name} (not run: ${kind} is not installed)`, () => {});
    continue;
  }
  Deno.test(name, async (t) => {
    await using server = await startLocalServer();
    await using proxy = await startProxy(kind, server.port);
    let asked = 0;

    for (const [what, requests] of Object.entries(SMUGGLED)) {
      for (const [which, { text }] of Object.entries(requests)) {
        await t.step(`${what}: ${which}`, async () => {
          const before = await sent();

          const { responses } = await exchange(proxy.port, text + MARKER);

          const answered = responses.filter(({ body }) => body.includes(`"success":true`)).length;
          assertEquals(await sent() - before, answered, "something was executed that was not answered");
          const finals = responses.filter(({ status }) => status >= 200);
          assertEquals(finals.length <= 2, true, `${finals.length} answers`);
          // On the connection to the server that the proxy has kept.
          const own = `own${asked++}`;
          const next = await exchange(
            proxy.port,
            `GET /graphql?query={${own}:viewer{userId}} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
          );
          assertEquals(next.responses.map(({ status }) => status), [200]);
          assertStringIncludes(next.responses[0]!.body, `"${own}"`);
        });
      }
    }

    async function sent(): Promise<number> {
      const query = `query ($room: ID!) { room(room: $room) { messages(last: 300) { nodes { id } } } }`;
      const { data } = await server.query(query, { room: ROOM });
      return data.room.messages.nodes.length;
    }
  });
}
