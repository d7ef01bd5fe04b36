import { assertEquals } from "@std/assert";
import { Probe } from "../../support/probe.ts";
import { RawSocket, UPGRADE } from "../../support/raw_socket.ts";
import { ServerProcess } from "../../support/server_process.ts";

const UPGRADES = 2_000;

Deno.test(`upgrade flood: ${UPGRADES} sockets without a connection_init, half of them not reading, are all gone after 3 s and the grace`, async () => {
  await using server = await ServerProcess.start("--max-connections-per-address", "0");
  await using probe = await Probe.open(server.webSocketUrl, "ann");
  const before = await probe.run("ann", { count: 100, everyMs: 5 });
  const beganMs = performance.now();
  const sockets: RawSocket[] = [];
  for (let at = 0; at < UPGRADES; at += 200) {
    const some = await Promise.all(Array.from({ length: 200 }, () => RawSocket.connect(server.port)));
    await Promise.all(some.map(async (socket, index) => {
      await socket.send(UPGRADE);
      if (index % 2 === 0) socket.stall();
    }));
    sockets.push(...some);
  }
  const openedMs = performance.now() - beganMs;
  const during = await probe.run("ann", { count: 100, everyMs: 5 });
  const codes = new Map<unknown, number>();
  for (let closed = 0; closed < UPGRADES; closed++) {
    const { fields } = await server.logged("connection.closed");
    codes.set(fields.code, (codes.get(fields.code) ?? 0) + 1);
  }
  const goneMs = performance.now() - beganMs;

  console.log({ before, during, openedMs, goneMs });
  assertEquals([...codes], [[4408, UPGRADES]]);
  assertEquals([before.inOrder, during.inOrder], [true, true]);
  for (const socket of sockets) socket.resume();
  await Promise.all(sockets.map((socket) => socket.closed));
});
