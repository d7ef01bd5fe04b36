import type { Clock } from "../../src/core/clock.ts";
import type { Engine } from "../../src/core/engine.ts";
import { registerDeliveryTests } from "./engine_delivery_tests.ts";
import { registerDirectoryTests } from "./engine_directory_tests.ts";
import { registerLeaseTests } from "./engine_lease_tests.ts";
import { registerFeedTests } from "./engine_feed_tests.ts";
import { registerLifeCycleTests } from "./engine_life_cycle_tests.ts";
import { registerMembersTests } from "./engine_members_tests.ts";
import { registerPresenceTests } from "./engine_presence_tests.ts";
import { registerPublishTests } from "./engine_publish_tests.ts";
import { registerReadTests } from "./engine_read_tests.ts";
import { registerStateTests } from "./engine_state_tests.ts";
import { registerReceiptTests } from "./engine_receipt_tests.ts";

/** Makes worlds for the suite's tests, one for each. */
export interface EngineFactory {
  /** Opens two nodes on one storage that nobody else uses. */
  create(history?: HistoryBounds): Promise<EngineWorld>;
  /** Why a test cannot be run with this engine, by its number. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** How much each stream remembers. */
export interface HistoryBounds {
  readonly count: number;
  readonly ageMs: number;
  readonly bytes: number;
}

/** Two nodes of one engine, and what a test must know of them. */
export interface EngineWorld {
  readonly nodes: readonly [Engine, Engine];
  /** What parts above the engine are to run on. */
  readonly clock: Clock;
  /** Lets so much time pass for the engine. */
  passTime(ms: number): Promise<void>;
  /** How many stream subscriptions the storage knows, of both nodes. */
  subscriptionCount(): Promise<number>;
  /** Closes the nodes that are still open. Safe to call twice. */
  close(): Promise<void>;
  /** What must be 0 after `close`, by name: subscriptions, timers, members, leases. */
  leftovers(): Promise<Readonly<Record<string, number>>>;
}

/** Registers one test of the suite. */
export type RegisterTest = (
  number: string,
  behaviour: string,
  body: (world: EngineWorld) => Promise<void>,
  history?: HistoryBounds,
) => void;

/** Registers the tests every engine must pass; the numbers are those of the conformance list. */
export function engineContract(name: string, factory: EngineFactory): void {
  const register: RegisterTest = (number, behaviour, body, history) => {
    const reason = factory.skips?.[number];
    Deno.test({
      name: `${number} ${name}: ${behaviour}${reason === undefined ? "" : ` (skipped: ${reason})`}`,
      ignore: reason !== undefined,
      sanitizeOps: true,
      sanitizeResources: true,
      fn: async () => {
        const world = await factory.create(history);
        try {
          await body(world);
        } finally {
          await world.close();
        }
      },
    });
  };
  registerPublishTests(register);
  registerDeliveryTests(register);
  registerReadTests(register);
  registerFeedTests(register);
  registerPresenceTests(register);
  registerLeaseTests(register);
  registerStateTests(register);
  registerMembersTests(register);
  registerDirectoryTests(register);
  registerReceiptTests(register);
  registerLifeCycleTests(register);
}
