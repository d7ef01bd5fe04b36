import { assertEquals, assertLess } from "@std/assert";
import type { StreamSubscription } from "../../src/core/engine.ts";
import { messagesFeed } from "../../src/core/feed.ts";
import { Hub } from "../../src/core/hub.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { EVERYONE } from "../../src/core/stream.ts";
import { silentTelemetry } from "../../src/core/telemetry.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import { collectedHeapBytes } from "../support/heap.ts";
import type { RegisterTest } from "./engine_suite.ts";

const LOBBY = "messages:lobby";

/** c10, c11, c18 to c24: what subscribing promises. */
export function registerDeliveryTests(test: RegisterTest): void {
  test("c10", "a subscription gets nothing from before it and everything after", async ({ nodes: [one, two] }) => {
    const collector = new EntryCollector();
    await one.log.publish(LOBBY, "before");
    const opening = two.log.subscribe(LOBBY, collector.listener);
    const during = one.log.publish(LOBBY, "during");
    const { start } = await opening;
    await during;
    const last = await one.log.publish(LOBBY, "after");
    const expected = Array.from({ length: last.position.offset - start.offset }, (_, at) => start.offset + 1 + at);
    await collector.until(expected.length);
    assertEquals(collector.offsets, expected);
  });

  test("c11", "G1 all subscriptions on all nodes see one order", async ({ nodes }) => {
    const collectors = [new EntryCollector(), new EntryCollector(), new EntryCollector()];
    for (const [at, { listener }] of collectors.entries()) await nodes[at % 2]!.log.subscribe(LOBBY, listener);
    await Promise.all(Array.from({ length: 400 }, (_, at) => nodes[at % 2]!.log.publish(LOBBY, `${at}`)));
    for (const collector of collectors) await collector.until(400);
    for (const { entries } of collectors) assertEquals(entries, collectors[0]!.entries);
    assertEquals(collectors[0]!.offsets, Array.from({ length: 400 }, (_, at) => at + 1));
  });

  test("c18", "100 readers of one room are one subscription in the engine", async (world) => {
    const [node] = world.nodes;
    const hub = new Hub({ log: node.log, clock: world.clock, telemetry: silentTelemetry });
    await hub.open();
    const before = await world.subscriptionCount();
    const feed = messagesFeed(parseRoomName("lobby"));
    const received = Promise.withResolvers<void>();
    let deliveries = 0;
    const reader = { deliver: () => void (++deliveries === 100 && received.resolve()), gap() {} };
    await Promise.all(Array.from({ length: 100 }, () => hub.attach(feed, reader)));
    assertEquals(await world.subscriptionCount() - before, 1);
    await node.log.publish(LOBBY, '{"s":"ann","c":"hello"}');
    await received.promise;
    hub.close();
  });

  test("c20", "100,000 subscriptions opened and closed leave nothing", async (world) => {
    const { log } = world.nodes[0];
    const cycle = async (times: number): Promise<void> => {
      for (let at = 0; at < times; at++) (await log.subscribe(`messages:room-${at % 100}`, () => {})).close();
    };
    await cycle(10_000);
    const before = collectedHeapBytes();
    await cycle(100_000);
    assertLess(collectedHeapBytes() - before, 2_000_000);
    assertEquals(await world.subscriptionCount(), 0);
  });

  test("c21", "subscriptions opened and closed in a race disturb nobody", async (world) => {
    const [one, two] = world.nodes;
    const stays = new EntryCollector();
    await one.log.subscribe(LOBBY, stays.listener);
    const opened: Promise<StreamSubscription>[] = [];
    for (let at = 0; at < 200; at++) {
      const opening = (at % 2 === 0 ? one : two).log.subscribe(LOBBY, () => {});
      opened.push(opening);
      if (at % 3 > 0) opening.then((subscription) => subscription.close());
      await two.log.publish(LOBBY, `${at}`);
    }
    for (const subscription of await Promise.all(opened)) subscription.close();
    await stays.until(200);
    assertEquals(stays.offsets, Array.from({ length: 200 }, (_, at) => at + 1));
    assertEquals(await world.subscriptionCount(), 1);
  });

  test("c22", "a listener that throws harms neither the publisher nor the others", async ({ nodes: [one, two] }) => {
    const collector = new EntryCollector();
    await one.log.subscribe(LOBBY, () => {
      throw new Error("listener");
    });
    await one.log.subscribe(LOBBY, collector.listener);
    await one.log.publish(LOBBY, "1");
    await two.log.publish(LOBBY, "2");
    await collector.until(2);
    assertEquals(collector.texts, ["1", "2"]);
  });

  test("c23", "a subscription closed before its first entry leaves nothing and gets nothing", async (world) => {
    const [one, two] = world.nodes;
    const closed = new EntryCollector();
    const stays = new EntryCollector();
    const subscription = await one.log.subscribe(LOBBY, closed.listener);
    await one.log.subscribe(EVERYONE, stays.listener);
    subscription.close();
    subscription.close();
    await two.log.publish(LOBBY, "x");
    await two.log.publish(EVERYONE, "y");
    await stays.until(1);
    assertEquals(closed.entries, []);
    assertEquals(await world.subscriptionCount(), 1);
  });

  test("c24", "a message to everyone reaches each subscription of each node once", async ({ nodes: [one, two] }) => {
    const collectors = [new EntryCollector(), new EntryCollector(), new EntryCollector()];
    for (const [at, { listener }] of collectors.entries()) {
      await (at === 0 ? one : two).log.subscribe(EVERYONE, listener);
    }
    await one.log.publish(EVERYONE, "hello");
    await two.log.publish(EVERYONE, "last");
    for (const collector of collectors) await collector.until(2);
    for (const collector of collectors) assertEquals(collector.texts, ["hello", "last"]);
  });
}
