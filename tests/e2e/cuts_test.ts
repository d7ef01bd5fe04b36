import { assert, assertEquals } from "@std/assert";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { MESSAGES, SEND } from "../support/documents.ts";
import { HistoryChecker } from "../support/history_checker.ts";
import { seeded } from "../support/seeded.ts";
import { ServerProcess } from "../support/server_process.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";

const CUTS = 25;
const SEED = 20_261_123;

Deno.test(`G2 a stock client misses nothing over ${CUTS} cuts while messages are sent (seed ${SEED})`, async () => {
  await using server = await ServerProcess.start();
  await using proxy = await TcpProxy.start(server.port);
  const random = seeded(SEED);
  const checker = new HistoryChecker();
  let connections = 0;
  let received = new Set<string>();
  let onReceived = (): void => {};
  const client = createClient({
    url: `ws://127.0.0.1:${proxy.port}/graphql`,
    webSocketImpl: WebSocket,
    retryWait: () => Promise.resolve(),
    retryAttempts: Infinity,
    on: {
      connected: () => {
        if (++connections > 1) checker.resumed("ann");
      },
    },
  });
  checker.subscribed("ann", { room: "lobby", client: "stock" });
  const stop = client.subscribe({ query: MESSAGES, variables: { room: "lobby" } }, {
    next({ data, extensions }) {
      const message = data!.messages as { id: string; room: string; content: string };
      checker.delivered("ann", message, extensions ?? {});
      received.add(message.content);
      onReceived();
    },
    error: assert.bind(null, false) as (error: unknown) => void,
    complete() {},
  });
  await proxy.next("opened");
  let sent = 0;
  const send = async () => {
    const content = String(sent++);
    checker.sent({ content, room: "lobby" });
    const { body } = await server.post(SEND, { room: "lobby", content });
    checker.acknowledged(content, body.data.sendMessage.message.id);
  };
  /** Resolves once the client has this message. */
  const until = async (content: string) => {
    while (!received.has(content)) await new Promise<void>((resolve) => onReceived = resolve);
  };
  // The first message that comes shows that the subscription is live.
  while (received.size === 0) await send();
  checker.live("ann");

  for (let cut = 0; cut < CUTS; cut++) {
    for (let rest = Math.floor(random() * 6); rest > 0; rest--) await send();
    const again = proxy.next("opened");
    if (random() < 0.5) proxy.swallow();
    await send();
    proxy.cut(random() < 0.5 ? "rst" : "fin");
    await Promise.all([again, send()]);
    await send();
    await until(String(sent - 1));
    if (received.size > 100) received = new Set([String(sent - 1)]);
  }
  stop();
  await client.dispose();

  const verdict = checker.verdict();
  assert(verdict.ok, verdict.summary);
  assertEquals([verdict.announcedLosses, verdict.acknowledged], [0, sent]);
});
