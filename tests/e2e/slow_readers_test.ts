import { assert, assertEquals, assertLess } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { CheckedRoom, type CheckedTransport } from "../support/checked_room.ts";
import { collectedHeapBytes } from "../support/heap.ts";
import { startLocalServer } from "../support/local_server.ts";
import { type LogLine, ServerProcess } from "../support/server_process.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { untilSubscribed } from "../support/until_subscribed.ts";

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
/** What the server logs when such a connection has ended. */
const END_EVENTS = { "graphql-ws": "connection.closed", EventSource: "stream.closed" } as const;

Deno.test("G4 a stalled stock client is closed with 1013, comes back when it reads again, and misses nothing", async () => {
  const { ended, ends } = await stallAndResume("graphql-ws", { untilCut: false });

  assertEquals([ended.event, ended.fields.code, ended.fields.reason], ["connection.closed", 1013, "slow reader"]);
  // It is cut off when the goodbye does not reach it in time.
  assert(ends[0] === 1013 || ends[0] === 1006, String(ends));
});

Deno.test("G4 a stock client that stalls until it is cut off comes back, and misses nothing", async () => {
  const { ended, ends } = await stallAndResume("graphql-ws", { untilCut: true });

  assertEquals([ended.event, ended.fields.code, ended.fields.reason], ["connection.closed", 1013, "slow reader"]);
  assertEquals(ends, [1006]);
});

Deno.test("G4 an EventSource that stalls is cut off, comes back, and gets everything once", async () => {
  const { ended, ends } = await stallAndResume("EventSource", { untilCut: true });

  assertEquals([ended.event, ended.fields.reason, ends.length], ["stream.closed", "slow reader", 1]);
});

for (const transport of ["graphql-ws", "EventSource"] as const) {
  Deno.test(`G4 ${transport} that catches up is paced by its socket: never ended, and little waits for it`, async () => {
    await using server = await startLocalServer({ history: { bytes: 67_108_864 } });
    await using proxy = await TcpProxy.start(server.port);
    const room = new CheckedRoom(server.url);
    const after = await room.send(10);
    for (let sent = 0; sent < 600; sent++) await room.send(64_000);
    const before = heldBytes();
    proxy.slow(1_000_000);
    await using reader = room.follow(transport, { port: proxy.port, query: repeating(1), variables: { after } });
    room.live();

    let most = 0;
    for (let passed = 0; passed < 4; passed++) {
      await proxy.next("toClient", 300_000);
      most = Math.max(most, heldBytes() - before);
    }
    await room.send(10);
    proxy.slow(Infinity);
    await reader.until(601);

    // Of 38 MB, of which kernels take a few. 8 are what is kept for all who catch up.
    assertLess(most, 20_000_000);
    const verdict = room.checker.verdict();
    assert(verdict.ok, verdict.summary);
    assertEquals([verdict.delivered, verdict.announcedLosses, verdict.resumes, reader.ends], [601, 0, 0, []]);
  });
}

/** Lets a client that follows a room read nothing while more is sent than may wait for it. */
async function stallAndResume(
  transport: CheckedTransport,
  { untilCut }: { readonly untilCut: boolean },
): Promise<{ readonly ended: LogLine; readonly ends: readonly unknown[] }> {
  await using server = await ServerProcess.start();
  await using proxy = await TcpProxy.start(server.port);
  const room = new CheckedRoom(server.url);
  // Of 0.9 MB, which history keeps, this makes 15 MB on the wire: more than kernels take.
  await using reader = room.follow(transport, { port: proxy.port, query: repeating(16) });
  await untilSubscribed(server, 1);
  room.live();
  await room.send(10);
  await reader.until(1);

  proxy.stall("toClient");
  for (let sent = 0; sent < 50; sent++) await room.send(19_000);
  const nextEnd = () => deadline(server.logged(END_EVENTS[transport]), PATIENCE_MS);
  const cut = untilCut ? await nextEnd() : undefined;
  const again = proxy.next("opened");
  proxy.resume();
  await again;
  await room.send(10);
  await reader.until(52);

  const verdict = room.checker.verdict();
  assert(verdict.ok, verdict.summary);
  assertEquals([verdict.announcedLosses, verdict.resumes], [0, 1]);
  return { ended: cut ?? await nextEnd(), ends: [...reader.ends] };
}

/** Asks for the content so many times: much on the wire for little in history. */
function repeating(times: number): string {
  const copies = Array.from({ length: times - 1 }, (_, at) => `copy${at}: content`).join(" ");
  return `subscription ($after: Cursor) { messages(room: "lobby", after: $after) { id room content ${copies} } }`;
}

/** What is in use in this process, which is the server's too. */
function heldBytes(): number {
  return collectedHeapBytes() + Deno.memoryUsage().external;
}
