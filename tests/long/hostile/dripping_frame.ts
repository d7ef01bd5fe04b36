import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { clientFrameOf, FIN, OPCODES } from "../../support/client_frame.ts";
import { startLocalServer } from "../../support/local_server.ts";
import { WireClient } from "../../support/wire_client.ts";

Deno.test("a large frame in chunks of one byte closes with 1008 once there are too many", async () => {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);

  await client.write(clientFrameOf(FIN | OPCODES.text, "", { length: 200_000 }));
  let sent = 0;
  for (; !client.isOver && sent < 200_000; sent++) {
    client.write(Buffer.of(0x20));
    // The network joins what comes at once.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  console.log(`${sent} chunks`);
  assertEquals(client.heard, ["close 1008"]);
});
