import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MESSAGES, SEND } from "../support/documents.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";

const PRELOAD = "tests/support/failing_preload.ts";
/** What each signal brings about, in the order of the fixture. */
const FAILURES = [
  ["error", "Error: thrown in a timer"],
  ["error", "Error: thrown in an immediate"],
  ["error", "Error: thrown in a microtask"],
  ["error", "Error: thrown in a next tick"],
  ["rejection", "Error: a floating rejection"],
  ["rejection", "a rejection with a text"],
  ["error", "Error: an error event without a listener"],
  ["error", "Error: thrown in a listener"],
] as const;

Deno.test(`${FAILURES.length} kinds of errors that nobody catches are logged and counted, turn readiness red, and end nobody`, async () => {
  await using server = await ServerProcess.startWith({ preload: PRELOAD });
  await using ann = StockClient.as("ann", server.webSocketUrl);
  const messages = ann.subscribe(MESSAGES, { room: "lobby" });
  await ann.settled();
  assertEquals(await ask(server, "/ready"), [200, { status: "ready" }]);

  for (const [index, [kind, error]] of FAILURES.entries()) {
    server.kill("SIGUSR2");
    const { level, fields } = await server.logged("process.unhandled");

    assertEquals([level, fields["kind"], fields["count"]], ["ERROR", kind, index + 1]);
    assertStringIncludes(String(fields["error"]), error);
    const reason = `errors that nobody caught: ${index + 1}`;
    assertEquals(await ask(server, "/ready"), [503, { status: "degraded", reason }]);
    assertEquals(await ask(server, "/health"), [200, { status: "ok" }]);
    await ann.run(SEND, { room: "lobby", content: error });
    assertEquals((await messages.nextField()).content, error);
  }

  await ann[Symbol.asyncDispose]();
  server.kill("SIGTERM");
  assertEquals(await server.ended(), 0);
});

Deno.test("a test whose server had an error that nobody caught fails", async () => {
  const server = await ServerProcess.startWith({ preload: PRELOAD });
  server.kill("SIGUSR2");
  await readiness(server, 503);

  await assertRejects(() => server[Symbol.asyncDispose](), Error, "reached nobody: Error: thrown in a timer");
});

Deno.test("degrade() turns /ready to 503, with the last reason", async () => {
  await using server = await startLocalServer();
  server.degrade("the first");
  server.degrade("the second");

  const response = await fetch(new URL("/ready", server.url));

  assertEquals([response.status, await response.json()], [503, { status: "degraded", reason: "the second" }]);
});

async function ask(server: ServerProcess, path: string): Promise<readonly [number, unknown]> {
  const response = await fetch(new URL(path, server.url));
  return [response.status, await response.json()];
}

async function readiness(server: ServerProcess, status: number): Promise<void> {
  while ((await ask(server, "/ready"))[0] !== status);
}
