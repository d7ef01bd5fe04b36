import {
  createMemoryCore,
  createMemoryEngine,
  type MemoryCore,
  type MemoryCoreOptions,
} from "../../src/engines/memory.ts";
import type { EngineWorld } from "../contracts/engine_suite.ts";
import { ManualClock } from "./manual_clock.ts";

/** Two open nodes of the memory engine, with the core and the clock in the test's hand. */
export interface MemoryWorld extends EngineWorld {
  readonly core: MemoryCore;
  readonly clock: ManualClock;
}

/** Opens two nodes on a new core; what is not given is as by default, or large enough not to matter. */
export async function openMemoryWorld(options: Partial<MemoryCoreOptions> = {}): Promise<MemoryWorld> {
  const clock = new ManualClock();
  const core = createMemoryCore({ clock, history: { count: 1_000, ageMs: 300_000, bytes: 1_048_576 }, ...options });
  const nodes = [createMemoryEngine({ core, nodeId: "one" }), createMemoryEngine({ core, nodeId: "two" })] as const;
  for (const node of nodes) await node.open();
  return {
    core,
    clock,
    nodes,
    passTime: (ms) => Promise.resolve(clock.advance(ms)),
    subscriptionCount: () => Promise.resolve(core.subscriptionCount),
    async close() {
      for (const node of nodes) await node.close();
    },
    leftovers: () =>
      Promise.resolve({
        subscriptions: core.subscriptionCount,
        rooms: core.roomCount,
        leases: core.leaseCount,
        timers: clock.pending,
      }),
  };
}
