import { assertEquals, assertLess } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { collectedHeapBytes } from "../support/heap.ts";
import { HttpStream } from "../support/http_stream.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { STALLED_KINDS, type StalledKind, stalledReader } from "../support/stalled_readers.ts";
import { STREAM_REQUESTS } from "../support/stream_requests.ts";

const IDS = `subscription { messages(room: "lobby") { id } }`;
/** 0.9 MB a message: more than kernels and an outbox take after a few. */
const MUCH = `subscription { messages(room: "lobby") { id ${
  Array.from({ length: 14 }, (_, at) => `copy${at}: content`).join(" ")
} } }`;
const CONTENT = "x".repeat(60_000);
const MESSAGES = 12;
/** What all of it may leave behind: history, and what is kept for all who catch up. */
const LEFT_BYTES = 12_000_000;

for (const readers of [1, 33]) {
  Deno.test(`slow consumers: ${readers} of each transport are cut off, those who read lose nothing, and memory comes back`, async () => {
    const clock = new ManualClock();
    await using server = await startLocalServer({}, clock);
    await using clients = new AsyncDisposableStack();
    const healthy = await Promise.all(STALLED_KINDS.map((kind) => follow(kind, server, clients)));
    const before = collectedHeapBytes() + Deno.memoryUsage().external;
    const stalled = await Promise.all(
      STALLED_KINDS.flatMap((kind) => Array.from({ length: readers }, () => stalledReader(kind, server.port, MUCH))),
    );

    for (let sent = 0; sent < MESSAGES; sent++) {
      const { data } = await server.query(SEND, { room: "lobby", content: CONTENT });
      const ids = await Promise.all(healthy.map((next) => next()));
      assertEquals(ids, ids.map(() => data.sendMessage.message.id));
    }
    // A WebSocket is asked what has reached it, then told, then cut off.
    for (let second = 0; second < 3; second++) {
      clock.advance(1_000);
      await server.query("{ viewer { userId } }");
    }
    await server.telemetry.until("connection.closed", readers);
    await server.telemetry.until("stream.closed", 2 * readers);

    const ends = server.telemetry.records.filter(({ event }) => event.endsWith(".closed"));
    assertEquals(ends.map(({ fields }) => fields["reason"]), ends.map(() => "slow reader"));
    assertEquals(ends.length, stalled.length);
    const { connections, subscriptions } = (await server.query("{ server { connections subscriptions } }")).data.server;
    assertEquals([connections, subscriptions], [healthy.length, healthy.length]);
    await Promise.all(stalled.map((socket) => socket.reset()));
    assertLess(collectedHeapBytes() + Deno.memoryUsage().external - before, LEFT_BYTES);
  });
}

/** Somebody who reads; gives the way to the next message's id. */
async function follow(kind: StalledKind, server: LocalServer, clients: AsyncDisposableStack) {
  if (kind === "WebSocket") {
    const client = clients.use(await RawClient.ready(server.webSocketUrl));
    client.subscribe("1", IDS);
    for (const id of ["2", "3"]) {
      client.subscribe(id, "{ viewer { userId } }");
      while ((await client.next()).type !== "complete");
    }
    return async (): Promise<string> => {
      for (;;) {
        const { type, payload } = await client.next();
        if (type === "next") return payload.data.messages.id;
        if (type === "ping") client.send({ type: "pong", payload });
      }
    };
  }
  const { accept, live } = STREAM_REQUESTS[kind];
  const stream = clients.use(await HttpStream.subscribe(server.url, IDS, { headers: { accept } }));
  await stream.read(live);
  return async (): Promise<string> => (await stream.read(/"messages":\{"id":"([^"]+)"/))[1]!;
}
