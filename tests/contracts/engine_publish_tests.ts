import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { Idempotency } from "../../src/core/engine.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import type { RegisterTest } from "./engine_suite.ts";

const LOBBY = "messages:lobby";
const idempotency: Idempotency = { key: "ann\0k1", fingerprint: "f1", ttlMs: 100 };

/** c1 to c9: what publishing promises. */
export function registerPublishTests(test: RegisterTest): void {
  test("c1", "offsets count from 1 without a hole, whichever node publishes", async ({ nodes }) => {
    const offsets: number[] = [];
    for (let index = 0; index < 10; index++) {
      const { position, duplicate } = await nodes[index % 2]!.log.publish(LOBBY, `${index}`);
      offsets.push(position.offset);
      assertEquals(duplicate, false);
    }
    assertEquals(offsets, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("c2", "within an epoch time never falls, and each entry names its predecessor's", async ({ nodes: [node] }) => {
    for (let index = 0; index < 200; index++) await node.log.publish(LOBBY, "x");
    const { entries, top } = await node.log.read(LOBBY, { limit: 200 });
    let previousTimeUs = 0;
    for (const entry of entries) {
      assertEquals(entry.position.epoch, top.epoch);
      assertEquals(entry.previousTimeUs, previousTimeUs);
      assertGreater(entry.position.timeUs, 0);
      assert(entry.position.timeUs >= previousTimeUs);
      previousTimeUs = entry.position.timeUs;
    }
    assertEquals(entries.at(-1)?.position, top);
  });

  test("c3", "texts come back exactly as given, live and read", async ({ nodes: [one, two] }) => {
    const collector = new EntryCollector();
    await two.log.subscribe(LOBBY, collector.listener);
    const texts = ["", " ", "é€😀 汉字", "a b\r\n\t c", "\0nul\0", '{"q":"\\""}', "x".repeat(1_000_000)];
    const read: string[] = [];
    for (const text of texts) {
      await one.log.publish(LOBBY, text);
      read.push(...(await two.log.read(LOBBY, { limit: 1 })).entries.map((entry) => entry.text));
    }
    await collector.until(texts.length);
    assertEquals(collector.texts, texts);
    assertEquals(read, texts);
  });

  test("c4", "G6 the same key answers with the first position and is delivered once", async ({ nodes: [one, two] }) => {
    const collector = new EntryCollector();
    await two.log.subscribe(LOBBY, collector.listener);
    const first = await one.log.publish(LOBBY, "once", { idempotency });
    const again = await two.log.publish(LOBBY, "once", { idempotency });
    await one.log.publish(LOBBY, "last");
    await collector.until(2);
    assertEquals(first.duplicate, false);
    assertEquals(again, { position: first.position, duplicate: true });
    assertEquals(collector.texts, ["once", "last"]);
  });

  test("c5", "G6 the same key with another fingerprint is refused and nothing is appended", async ({ nodes }) => {
    const { position } = await nodes[0].log.publish(LOBBY, "once", { idempotency });
    const error = await assertRejects(
      () => nodes[1].log.publish(LOBBY, "other", { idempotency: { ...idempotency, fingerprint: "f2" } }),
      RealtimeError,
    );
    assertEquals(error.code, "IDEMPOTENCY_KEY_REUSED");
    assertEquals(await nodes[0].log.top(LOBBY), position);
  });

  test("c6", "a key is forgotten when its time has passed", async ({ nodes: [node], passTime }) => {
    await node.log.publish(LOBBY, "once", { idempotency });
    await passTime(idempotency.ttlMs + 1);
    const again = await node.log.publish(LOBBY, "again", { idempotency: { ...idempotency, fingerprint: "f2" } });
    assertEquals(again.duplicate, false);
    assertEquals(again.position.offset, 2);
  });

  test("c7", "a key belongs to one stream", async ({ nodes: [node] }) => {
    await node.log.publish(LOBBY, "once", { idempotency });
    const other = await node.log.publish("messages:other", "once", { idempotency });
    assertEquals(other.duplicate, false);
    assertEquals(other.position.offset, 1);
  });

  test("c8", "G6 50 publishes of one key at the same moment on two nodes are one entry", async ({ nodes }) => {
    const published = await Promise.all(
      Array.from({ length: 50 }, (_, index) => nodes[index % 2]!.log.publish(LOBBY, "once", { idempotency })),
    );
    assertEquals(published.filter((one) => !one.duplicate).length, 1);
    for (const { position } of published) assertEquals(position, published[0]!.position);
    assertEquals((await nodes[0].log.read(LOBBY, { limit: 10 })).entries.length, 1);
  });

  test("c9", "a publish aborted before it was sent is not executed", async ({ nodes: [node] }) => {
    const reason = new Error("gone");
    const signal = AbortSignal.abort(reason);
    const error = await node.log.publish(LOBBY, "never", { signal, idempotency }).then(() => null, (one) => one);
    const next = await node.log.publish(LOBBY, "first", { idempotency });
    assertEquals(error, reason);
    assertEquals([next.position.offset, next.duplicate], [1, false]);
  });
}
