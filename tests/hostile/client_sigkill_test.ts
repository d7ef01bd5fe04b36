import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { PATIENCE_MS } from "../support/patience.ts";
import { ServerProcess } from "../support/server_process.ts";
import { STALLED_KINDS } from "../support/stalled_readers.ts";

const CLIENT = "tests/support/doomed_client.ts";
const ROOT = new URL("../../", import.meta.url);
const OF_EACH = 20;
const STATUS = `{ server { connections subscriptions rooms } room(room: "lobby") { memberCount } }`;

Deno.test(`client SIGKILL: ${OF_EACH} connections of each transport and all that belongs to them are gone`, async () => {
  await using server = await ServerProcess.start("--leave-grace-seconds", "0");
  const client = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", "--allow-env", CLIENT, String(server.port), String(OF_EACH)],
    cwd: ROOT,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = client.stdout.getReader();
  await deadline(reader.read(), PATIENCE_MS);
  const count = OF_EACH * STALLED_KINDS.length;
  const during = (await server.post(STATUS)).body.data;

  client.kill("SIGKILL");
  await client.status;
  await reader.cancel();
  const endMs = performance.now() + PATIENCE_MS;
  let after = during;
  while (after.server.connections > 0 || after.room.memberCount > 0) {
    if (performance.now() > endMs) throw new Error(`Still there: ${JSON.stringify(after)}`);
    after = (await server.post(STATUS)).body.data;
  }

  assertEquals(during, {
    server: { connections: count, subscriptions: count, rooms: 1 },
    room: { memberCount: count },
  });
  assertEquals(after, { server: { connections: 0, subscriptions: 0, rooms: 0 }, room: { memberCount: 0 } });
});
