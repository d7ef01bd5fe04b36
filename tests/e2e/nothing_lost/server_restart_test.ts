import { assertEquals } from "@std/assert";
import { SEND } from "../../support/documents.ts";
import { startLocalServer } from "../../support/local_server.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { cellTests } from "./cell_tests.ts";
import type { Kind } from "./cells.ts";
import { LOBBY, type Outcome, untilFollowed } from "./followed_room.ts";
import { Gate } from "./gate.ts";
import { FOLLOW } from "./kinds.ts";

/** A kill breaks what is open; a stop ends it in order. */
type Signal = "SIGKILL" | "SIGTERM";

const NOT_TOLD = ["a", "b", "live"];
const KEPT = ["a", "b", "missed (recovered: false)", "live"];

/** What each has seen, and how its connection ends by each signal. */
const SEEN: Readonly<Record<Kind, Omit<Outcome, "ends"> & { readonly ends: Readonly<Record<Signal, unknown>> }>> = {
  "stock": { came: NOT_TOLD, told: [], ends: { SIGKILL: 1006, SIGTERM: 1012 } },
  "one option": { came: NOT_TOLD, told: [], ends: { SIGKILL: 1006, SIGTERM: 1012 } },
  "resumable()": { came: KEPT, told: ["gap"], ends: { SIGKILL: 1006, SIGTERM: 1012 } },
  "SSE": { came: KEPT, told: [], ends: { SIGKILL: "error", SIGTERM: "error" } },
  "curl": { came: KEPT, told: [], ends: { SIGKILL: 18, SIGTERM: 0 } },
};

cellTests("server restart", async (kind) => {
  await Promise.all([restart(kind, "SIGKILL"), restart(kind, "SIGTERM")]);
});

async function restart(kind: Kind, signal: Signal): Promise<void> {
  await using before = await ServerProcess.start();
  await using after = await startLocalServer();
  await using proxy = await TcpProxy.start(before.port);
  const gate = new Gate();
  const url = `http://127.0.0.1:${proxy.port}/graphql`;
  await using follower = FOLLOW[kind]({ url, query: LOBBY, mayReturn: () => gate.pass() });
  await untilFollowed({ query: async (query) => (await before.post(query)).body }, 1);
  for (const content of ["a", "b"]) await before.post(SEND, { room: "lobby", content });
  await follower.until(({ came }) => came.length === 2);

  gate.close();
  proxy.targetPort = after.port;
  before.kill(signal);
  await before.ended();
  await after.query(SEND, { room: "lobby", content: "missed" });
  gate.open();
  await follower.comeBack();
  await untilFollowed(after, 1);
  await after.query(SEND, { room: "lobby", content: "live" });
  await follower.until(({ came }) => came.at(-1) === "live");

  const { came, told, ends } = follower;
  assertEquals({ came, told, ends }, { ...SEEN[kind], ends: [SEEN[kind].ends[signal]] });
}
