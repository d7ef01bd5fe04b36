import { assertEquals, assertGreater, assertNotEquals, assertRejects } from "@std/assert";
import type { Engine, StreamEntry } from "../../src/core/engine.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import type { Stream } from "../../src/core/stream.ts";
import { createMemoryEngine } from "../../src/engines/memory.ts";
import { engineContract } from "../contracts/engine_suite.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import { openMemoryWorld } from "../support/memory_world.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

engineContract("memory", { create: (history) => openMemoryWorld(history === undefined ? {} : { history }) });

const LOBBY = "messages:lobby";
const HOUR_MS = 3_600_000;
const bounds = { count: 1_000, ageMs: 300_000, bytes: 1_048_576 };

Deno.test("memory history keeps the newest texts within its bytes, counted as UTF-8", async () => {
  const world = await openMemoryWorld({ history: { ...bounds, bytes: 10 } });
  const [node] = world.nodes;
  for (const text of ["aaaa", "ééé", "bbbb"]) await node.log.publish(LOBBY, text);
  assertEquals(await keptTexts(node), ["ééé", "bbbb"]);
  await world.close();
});

Deno.test("memory history keeps the newest entry, also when it alone is too large", async () => {
  const world = await openMemoryWorld({ history: { ...bounds, bytes: 10 } });
  const [node] = world.nodes;
  for (const text of ["a", "b".repeat(100)]) await node.log.publish(LOBBY, text);
  assertEquals(await keptTexts(node), ["b".repeat(100)]);
  await world.close();
});

Deno.test("memory history takes the oldest entries of the least recently written streams past its total", async () => {
  const world = await openMemoryWorld({ totalBytes: 4 * (256 + 1) });
  const [node] = world.nodes;
  for (const room of ["a", "b", "a", "b", "a", "a"]) await node.log.publish(`messages:${room}`, "x");
  assertEquals((await keptTexts(node, "messages:a")).length, 4);
  assertEquals((await keptTexts(node, "messages:b")).length, 0);
  assertEquals(world.core.storedBytes, 4 * 257);
  await world.close();
});

Deno.test("too many rooms: one membership beyond the total is ROOM_LIMIT, and the place of one that ended is free", async () => {
  const world = await openMemoryWorld({ members: 2 });
  const { presence } = world.nodes[0];
  const enter = (room: string) =>
    presence.enter(parseRoomName(room), "ann", { sessionCount: 1 }, { event: "joined", state: null });
  await enter("a");
  await enter("b");

  const error = await assertRejects(() => enter("c"), RealtimeError);
  assertEquals([error.code, error.limit], ["ROOM_LIMIT", 2]);
  await enter("a");
  await presence.exit(parseRoomName("b"), "ann", "left");
  assertEquals((await enter("c")).first, true);
  await world.close();
});

Deno.test("memory history past its total still keeps the newest entry of all", async () => {
  const world = await openMemoryWorld({ totalBytes: 10 });
  const [node] = world.nodes;
  await node.log.publish("messages:a", "a");
  await node.log.publish("messages:b", "b");
  assertEquals([await keptTexts(node, "messages:a"), await keptTexts(node, "messages:b")], [[], ["b"]]);
  await world.close();
});

Deno.test("memory history reads any place of a stream that has been trimmed for long", async () => {
  const world = await openMemoryWorld({ history: { ...bounds, count: 100 } });
  const [node] = world.nodes;
  const positions = [];
  for (let at = 1; at <= 1_234; at++) positions.push((await node.log.publish(LOBBY, `${at}`)).position);
  const { entries, reset } = await node.log.read(LOBBY, { after: positions[1_199]!, limit: 3 });
  assertEquals([reset, textsOf(entries)], [null, ["1201", "1202", "1203"]]);
  await world.close();
});

Deno.test("memory sweep frees what idle rooms kept once it is too old", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  for (let room = 0; room < 100; room++) await node.log.publish(`messages:${room}`, "hello");
  world.clock.advance(bounds.ageMs - 10_000);
  await node.log.publish(LOBBY, "young");
  world.clock.advance(20_000);
  assertEquals(world.core.storedBytes, 256 + "young".length);
  assertEquals(world.core.streamCount, 101);
  await world.close();
});

Deno.test("memory sweep forgets idempotency keys that have expired", async () => {
  const world = await openMemoryWorld();
  await world.nodes[0].log.publish(LOBBY, "x", { idempotency: { key: "k", fingerprint: "f", ttlMs: 60_000 } });
  const before = world.core.idempotencyKeyCount;
  world.clock.advance(70_000);
  assertEquals([before, world.core.idempotencyKeyCount], [1, 0]);
  await world.close();
});

Deno.test("memory keys are bounded in number, the oldest is forgotten first", async () => {
  const world = await openMemoryWorld({ idempotencyKeys: 2 });
  const publish = async (key: string): Promise<boolean> => {
    const idempotency = { key, fingerprint: "f", ttlMs: 60_000 };
    return (await world.nodes[0].log.publish(LOBBY, "x", { idempotency })).duplicate;
  };
  for (const key of ["a", "b", "c"]) await publish(key);
  assertEquals([await publish("c"), await publish("b"), await publish("a")], [true, true, false]);
  assertEquals(world.core.idempotencyKeyCount, 2);
  await world.close();
});

Deno.test("G6 memory keys that live shorter never push out those that live longer", async () => {
  const world = await openMemoryWorld({ idempotencyKeys: 3 });
  const [{ log }] = world.nodes;
  const publish = (key: string, ttlMs: number) =>
    log.publish("messages:lobby", key, { idempotency: { key, fingerprint: "f", ttlMs } });
  await publish("chosen", 300_000);

  for (let sent = 0; sent < 10; sent++) await publish(`implied ${sent}`, 60_000);

  assertEquals((await publish("chosen", 300_000)).duplicate, true);
  assertEquals(world.core.idempotencyKeyCount, 4);
  await world.close();
});

Deno.test("G5 memory keeps an emptied stream's epoch and top for a day, then forgets them", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const { position } = await node.log.publish(LOBBY, "x");
  world.clock.advance(23 * HOUR_MS);
  const kept = await node.log.read(LOBBY, { after: position, limit: 10 });
  world.clock.advance(25 * HOUR_MS);
  const forgotten = await node.log.read(LOBBY, { after: position, limit: 10 });
  assertEquals(kept, { entries: [], top: position, reset: null, hasOlder: false });
  assertEquals([forgotten.reset, forgotten.top.offset], ["EPOCH", 0]);
  await world.close();
});

Deno.test("memory bounds the emptied streams, the one longest unused goes first", async () => {
  const world = await openMemoryWorld({ emptiedStreams: 2 });
  const [node] = world.nodes;
  const top = (room: string) => node.log.top(`messages:${room}`);
  const [a, b] = [await top("a"), await top("b")];
  await top("a");
  await top("c");
  assertEquals(world.core.streamCount, 2);
  assertEquals(await top("a"), a);
  assertNotEquals(await top("b"), b);
  await world.close();
});

Deno.test("memory never forgets an emptied stream that has a subscription", async () => {
  const world = await openMemoryWorld({ emptiedStreams: 1 });
  const [node] = world.nodes;
  const subscription = await node.log.subscribe(LOBBY, () => {});
  for (let room = 0; room < 10; room++) await node.log.top(`messages:${room}`);
  world.clock.advance(48 * HOUR_MS);
  assertEquals(await node.log.top(LOBBY), subscription.start);
  subscription.close();
  world.clock.advance(25 * HOUR_MS);
  assertEquals(world.core.streamCount, 0);
  await world.close();
});

Deno.test("memory positions go on rising when the clock is set back, and entries still grow old", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const before = (await node.log.publish(LOBBY, "before")).position;
  world.clock.jump(-HOUR_MS);
  const after = (await node.log.publish(LOBBY, "after")).position;
  world.clock.advance(bounds.ageMs + 10_000);
  assertGreater(after.timeUs, before.timeUs);
  assertEquals([await keptTexts(node), world.core.storedBytes], [[], 0]);
  await world.close();
});

Deno.test("G1 memory delivers what a listener publishes after the entry it listens to, to all in one order", async () => {
  const world = await openMemoryWorld();
  const [one, two] = world.nodes;
  const collectors = [new EntryCollector(), new EntryCollector()];
  let depth = 0;
  await one.log.subscribe(LOBBY, collectors[0]!.listener);
  await one.log.subscribe(LOBBY, ({ text }) => {
    assertEquals(depth++, 0);
    if (text.length < 3) two.log.publish(LOBBY, `${text}!`);
    depth--;
  });
  await two.log.subscribe(LOBBY, collectors[1]!.listener);
  await one.log.publish(LOBBY, "a");
  for (const { texts } of collectors) assertEquals(texts, ["a", "a!", "a!!"]);
  await world.close();
});

Deno.test("memory subscriptions opened during a delivery start after what waits for its own", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const late = new EntryCollector();
  await node.log.subscribe(LOBBY, ({ text }) => {
    if (text !== "a") return;
    node.log.publish(LOBBY, "b");
    node.log.subscribe(LOBBY, late.listener);
  });
  await node.log.publish(LOBBY, "a");
  await node.log.publish(LOBBY, "c");
  assertEquals(late.texts, ["c"]);
  await world.close();
});

Deno.test("memory subscriptions closed during a delivery get nothing more of it", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const closed = new EntryCollector();
  await node.log.subscribe(LOBBY, () => subscription.close());
  const subscription = await node.log.subscribe(LOBBY, closed.listener);
  await node.log.publish(LOBBY, "a");
  assertEquals(closed.entries, []);
  await world.close();
});

Deno.test("memory refuses to publish while too many entries wait for their delivery", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const refused: Promise<unknown>[] = [];
  await node.log.subscribe("everyone", () => {});
  await node.log.subscribe(LOBBY, () => {
    for (let at = 0; at <= 10_000; at++) refused[0] = node.log.publish("everyone", "x");
  });
  await node.log.publish(LOBBY, "a");
  const error = await assertRejects(() => refused[0]!, RealtimeError);
  assertEquals([error.code, (await node.log.top("everyone")).offset], ["ENGINE_UNAVAILABLE", 10_000]);
  await world.close();
});

Deno.test("memory tells the telemetry of a listener that throws", async () => {
  const telemetry = new RecordingTelemetry();
  const world = await openMemoryWorld({ telemetry });
  await world.nodes[0].log.subscribe(LOBBY, () => {
    throw new Error("listener");
  });
  await world.nodes[0].log.publish(LOBBY, "a");
  assertEquals(telemetry.events, ["engine.listener_failed"]);
  await world.close();
});

Deno.test("G7 memory has the member in the room when its join is delivered, and no more when its leave is", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const room = parseRoomName("lobby");
  const seen: number[] = [];
  await node.log.subscribe("events:lobby", () => void seen.push(world.core.presence.members(room, { limit: 1 }).total));
  await node.presence.enter(room, "ann", { sessionCount: 1 }, { event: "{}", state: null });
  await node.presence.exit(room, "ann", "{}");
  assertEquals(seen, [1, 0]);
  await world.close();
});

Deno.test("memory forgets a lease however it ends", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const room = parseRoomName("lobby");
  const lease = (userId: string) =>
    node.presence.lease(room, userId, { ttlMs: 60_000, sessionId: "s" }, { event: "{}", state: null });
  for (const userId of ["ann", "bob", "cyd", "dan"]) await lease(userId);
  await lease("ann");
  const before = world.core.leaseCount;
  await node.presence.remove(room, "ann", "{}");
  await node.presence.endLease(room, "bob", "s", "{}");
  await node.presence.keep(room, "cyd", { sessionCount: 1 });
  const after = world.core.leaseCount;
  world.clock.advance(61_000);
  assertEquals([before, after, world.core.leaseCount, world.core.roomCount], [4, 2, 0, 1]);
  await world.close();
});

Deno.test("memory leases run out as time passes, also when the clock is set back", async () => {
  const world = await openMemoryWorld();
  const [node] = world.nodes;
  const room = parseRoomName("lobby");
  await node.presence.lease(room, "ann", { ttlMs: 60_000, sessionId: "s" }, { event: "{}", state: null });
  world.clock.jump(-HOUR_MS);
  world.clock.advance(59_000);
  const before = world.core.leaseCount;
  world.clock.advance(2_000);
  assertEquals([before, world.core.leaseCount], [1, 0]);
  await world.close();
});

Deno.test("memory engines refuse everything until they are open, and open once", async () => {
  const { core, close } = await openMemoryWorld();
  const engine = createMemoryEngine({ core, nodeId: "three" });
  const error = await assertRejects(() => engine.log.top(LOBBY), RealtimeError, "not open yet");
  assertEquals(error.code, "ENGINE_UNAVAILABLE");
  await engine.open();
  await assertRejects(() => engine.open(), TypeError);
  await engine.close();
  await close();
});

async function keptTexts(node: Engine, stream: Stream = LOBBY): Promise<string[]> {
  return textsOf((await node.log.read(stream, { limit: 10_000 })).entries);
}

function textsOf(entries: readonly StreamEntry[]): string[] {
  return entries.map((entry) => entry.text);
}
