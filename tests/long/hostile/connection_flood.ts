import { assert, assertEquals } from "@std/assert";
import { Probe } from "../../support/probe.ts";
import { RawClient } from "../../support/raw_client.ts";
import { RawSocket } from "../../support/raw_socket.ts";
import { ServerProcess } from "../../support/server_process.ts";

const SOCKETS = 4_000;
const CAP = 1_000;
const MARGIN = 768;
const ADDRESSES = Array.from({ length: 40 }, (_, index) => `127.0.0.${index + 2}`);
const PROBING = { count: 200, everyMs: 5 };

Deno.test(`connection flood: ${SOCKETS} silent sockets against a bound of ${CAP}: users notice nothing, and newcomers are let in afterwards`, async () => {
  await using server = await ServerProcess.start(
    ...["--max-connections", String(CAP), "--max-connections-per-address", "0"],
  );
  await using probe = await Probe.open(server.webSocketUrl, "ann");
  const before = await probe.run("ann", PROBING);

  let open = 0;
  const sockets: RawSocket[] = [];
  for (let at = 0; at < SOCKETS; at += 200) {
    const some = await Promise.all(
      Array.from({ length: 200 }, (_, index) => RawSocket.connect(server.port, { from: ADDRESSES[(at + index) % 40] })),
    );
    for (const socket of some) {
      open++;
      void socket.closed.then(() => open--);
    }
    sockets.push(...some);
  }
  const during = await probe.run("ann", PROBING);
  const kept = open;
  // The silent are cut after 10 s; the test's own patience is its runner's.
  await Promise.all(sockets.map((socket) => socket.closed));
  const newcomers = [];
  for (let user = 0; user < 500; user++) newcomers.push(await RawClient.ready(server.webSocketUrl));
  const after = await probe.run("ann", PROBING);

  console.log({ before, during, after, kept });
  assert(kept <= CAP + MARGIN, `${kept} were kept`);
  assertEquals([before.inOrder, during.inOrder, after.inOrder], [true, true, true]);
  for (const newcomer of newcomers) await newcomer[Symbol.asyncDispose]();
});
