import { assertEquals } from "@std/assert";
import { auditServer } from "graphql-http";
import { ServerProcess } from "../../support/server_process.ts";

Deno.test("all 61 audits of GraphQL over HTTP pass", async () => {
  await using server = await ServerProcess.start();

  const results = await auditServer({ url: server.url });

  const failed = [];
  for (const result of results) {
    if (result.status === "ok") continue;
    failed.push(`${result.id} ${result.name}: ${result.reason}`);
    await result.response.body?.cancel();
  }
  assertEquals(failed, []);
  assertEquals(results.length, 61);
});
