import { assertEquals, assertRejects } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import type { EngineWorld, RegisterTest } from "./engine_suite.ts";
import { beginning, enter, left, lobby } from "./presence_steps.ts";

const LOBBY = "messages:lobby";

/** c43 and c44: what is left when a node has closed. */
export function registerLifeCycleTests(test: RegisterTest): void {
  test("c43", "G9 after closing nothing is left, and closing twice is safe", async (world) => {
    const collector = new EntryCollector();
    await useEverything(world, collector);
    await world.close();
    for (const node of world.nodes) await node.close();
    for (const [what, count] of Object.entries(await world.leftovers())) assertEquals(count, 0, what);
    assertEquals(collector.texts, ["hello"]);
  });

  test("c43b", "a node that has closed refuses, and the other goes on", async ({ nodes: [one, two] }) => {
    const closed = new EntryCollector();
    const open = new EntryCollector();
    await one.log.subscribe(LOBBY, closed.listener);
    await two.log.subscribe(LOBBY, open.listener);
    await one.close();
    const error = await assertRejects(() => one.log.publish(LOBBY, "never"), RealtimeError);
    await two.log.publish(LOBBY, "hello");
    await open.until(1);
    assertEquals(error.code, "ENGINE_UNAVAILABLE");
    assertEquals([closed.texts, open.texts], [[], ["hello"]]);
  });

  test("c44", "no fault ends in a promise nobody looks at", async (world) => {
    const unhandled: unknown[] = [];
    const note = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      unhandled.push(event.reason);
    };
    addEventListener("unhandledrejection", note);
    const [one, two] = world.nodes;
    await two.log.subscribe(LOBBY, () => {
      throw new Error("listener");
    });
    const onTheirWay = [one.log.publish(LOBBY, "x"), one.log.subscribe(LOBBY, () => {}), one.log.top(LOBBY)];
    await one.close();
    const late = [one.log.read(LOBBY, { limit: 1 }), one.presence.members(lobby, { limit: 1 })];
    await Promise.allSettled([...onTheirWay, ...late]);
    await two.log.publish(LOBBY, "y");
    await world.close();
    await eventLoopTurn();
    removeEventListener("unhandledrejection", note);
    assertEquals(unhandled, []);
  });
}

async function useEverything({ nodes }: EngineWorld, collector: EntryCollector): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    const userId = `user-${at}`;
    await node.log.subscribe("everyone", () => {});
    await enter(node, userId);
    await node.presence.lease(lobby, userId, { ttlMs: 60_000, sessionId: "s" }, beginning(userId));
    await node.presence.setState(lobby, userId, { json: "1", setBy: null }, { event: left(userId) });
    await node.presence.endLease(lobby, userId, null, left(userId));
  }
  await nodes[0].log.subscribe(LOBBY, collector.listener);
  await nodes[1].log.publish(LOBBY, "hello", { idempotency: { key: "k", fingerprint: "f", ttlMs: 60_000 } });
  await collector.until(1);
}
