import { assert, assertEquals, assertLess } from "@std/assert";
import { SEND } from "../../support/documents.ts";
import { RawClient } from "../../support/raw_client.ts";
import type { RawSocket } from "../../support/raw_socket.ts";
import { PeakRss, residentBytes } from "../../support/rss.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { type StalledKind, stalledReader } from "../../support/stalled_readers.ts";
import { stampedContent, StampedReader } from "../../support/stamped_reader.ts";
import { untilSubscribed } from "../../support/until_subscribed.ts";

const HEALTHY = 100;
const STALLED_OF_EACH = 100;
const CONTENT_BYTES = 1_000;
/** Undisturbed first, to compare with; then with those who do not read. */
const MESSAGES = { undisturbed: 10_000, disturbed: 50_000 };
const A_SECOND = 400;
const TICK_MS = 25;
const MAX_IN_FLIGHT = 200;
const CONTENTS = `subscription { messages(room: "lobby") { content } }`;
const LIMITS = { rssBytes: 250_000_000, evictedMs: 10_000, backMs: 60_000, p99: 2 };
/** What kernels take for one that does not read, before the server sees anything of it. */
const KERNEL_BYTES = 10_500_000;

Deno.test(`slow consumers: ${STALLED_OF_EACH} stalled WebSockets and as many streams, ${HEALTHY} who read, ${MESSAGES.disturbed} × 1 KB`, async () => {
  // Those who read here answer no pings, and those who do not are to be found by what waits for them.
  await using server = await ServerProcess.start("--ping-seconds", "600");
  const kinds: readonly StalledKind[] = ["WebSocket", "Server-Sent Events"];
  const healthy = Array.from({ length: HEALTHY }, (_, at) => new StampedReader(kinds[at % 2]!, server.port, CONTENTS));
  await untilSubscribed(server, HEALTHY);
  await using sender = await RawClient.ready(server.webSocketUrl, { userId: "sender" });
  let sent = 0;
  const send = async (count: number): Promise<void> => {
    const until = sent + count;
    const beganMs = performance.now();
    const began = sent;
    while (sent < until) {
      const due = began + (performance.now() - beganMs) * A_SECOND / 1_000;
      let inFlight = 0;
      for (; sent < Math.min(due, until) && inFlight < MAX_IN_FLIGHT; sent++, inFlight++) {
        sender.subscribe(crypto.randomUUID(), SEND, { room: "lobby", content: stampedContent(sent, CONTENT_BYTES) });
      }
      while (inFlight > 0) {
        const { type, payload } = await sender.next();
        if (type === "error" || payload?.errors !== undefined) throw new Error(JSON.stringify(payload));
        if (type === "complete") inFlight--;
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    while (healthy.some(({ received }) => received < sent)) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  };

  await send(MESSAGES.undisturbed);
  const undisturbed = percentile(healthy);
  const before = residentBytes(server.pid);
  const stalled: RawSocket[] = [];
  for (const kind of kinds) {
    for (let opened = 0; opened < STALLED_OF_EACH; opened++) {
      stalled.push(await stalledReader(kind, server.port, CONTENTS));
    }
  }
  using peak = new PeakRss(server.pid);
  const beganMs = performance.now();
  const evicted = untilConnected(server, HEALTHY + 1).then(() => performance.now() - beganMs);
  await send(MESSAGES.disturbed);
  const evictedMs = await evicted;
  const disturbed = percentile(healthy);
  const [lost, late] = [sum(healthy, ({ received }) => sent - received), sum(healthy, ({ outOfTurn }) => outOfTurn)];
  const backMs = await untilBack(server, before);
  // Their kernels filled before the server could know: at this rate after so long.
  const kernelMs = KERNEL_BYTES / (A_SECOND * 1.2 * CONTENT_BYTES) * 1_000;

  console.log({
    "p99 in ms, undisturbed and disturbed": [undisturbed, disturbed],
    "RSS in MB, before, and most": [before, peak.most].map((bytes) => Math.round(bytes / 1e6)),
    "all evicted after, in s; of that until kernels were full, at most": [evictedMs, kernelMs].map((ms) => ms / 1_000),
    "memory back within 10 % after, in s": backMs / 1_000,
    lost,
    late,
  });
  for (const socket of [...stalled, ...healthy]) "reset" in socket ? await socket.reset() : socket.close();
  assertEquals([lost, late], [0, 0]);
  assertLess(peak.most - before, LIMITS.rssBytes);
  assertLess(evictedMs, kernelMs + LIMITS.evictedMs);
  assertLess(backMs, LIMITS.backMs);
  assert(disturbed <= Math.max(LIMITS.p99 * undisturbed, 20), `p99 ${undisturbed} ms, with them ${disturbed} ms`);
});

/** The age of messages that 99 % do not exceed, since the last call, in milliseconds. */
function percentile(readers: readonly StampedReader[]): number {
  const ages = Float64Array.from(readers.flatMap((reader) => reader.ages.splice(0))).sort();
  return ages[Math.floor(ages.length * 0.99)]!;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

async function untilConnected(server: ServerProcess, count: number): Promise<void> {
  while ((await server.post("{ server { connections } }")).body.data.server.connections > count) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function untilBack(server: ServerProcess, before: number): Promise<number> {
  const beganMs = performance.now();
  while (residentBytes(server.pid) > 1.1 * before && performance.now() - beganMs < 2 * LIMITS.backMs) {
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return performance.now() - beganMs;
}
