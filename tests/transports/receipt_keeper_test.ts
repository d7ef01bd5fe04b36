import { assertEquals, assertObjectMatch } from "@std/assert";
import { type Receipt, RECEIPT_TTL_MS, type Receipts } from "../../src/core/engine.ts";
import { type KeptOperation, ReceiptKeeper } from "../../src/transports/receipt_keeper.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { callerOf } from "../support/live_world.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

const START_MS = 1_700_000_000_000;

Deno.test("a new receipt is written at once", () => {
  using world = openWorld();

  world.keeper.keep(operationOf("a"));
  world.keeper.keep(operationOf("b"));

  assertEquals(world.receipts.calls, ["0 put a@0", "0 put b@0"]);
});

Deno.test("changed receipts are written in one batch, five seconds after the first change, at their last place", () => {
  using world = openWorld();
  const [a, b] = world.keep("a", "b", "c");

  world.keeper.confirm(a, "1");
  world.clock.advance(4_000);
  world.keeper.confirm(b, "1");
  world.keeper.confirm(a, "2");
  world.clock.advance(999);
  const early = [...world.receipts.calls];
  world.clock.advance(50_000);

  assertEquals([early, world.receipts.calls], [[], ["5000 put a@2 b@1"]]);
});

Deno.test("a receipt that changes after a batch waits five seconds of its own, without those that were written", () => {
  using world = openWorld();
  const [a, b] = world.keep("a", "b");
  world.keeper.confirm(a, "1");
  world.clock.advance(4_000);
  world.keeper.confirm(a, "2");
  world.clock.advance(3_000);

  world.keeper.confirm(b, "1");
  world.clock.advance(5_000);

  assertEquals(world.receipts.calls, ["5000 put a@2", "12000 put b@1"]);
});

Deno.test("a receipt that does not change is written again twice in its life, for as long as its operation is live", () => {
  using world = openWorld();
  world.keep("a", "b");

  world.clock.advance(RECEIPT_TTL_MS / 2 - 1);
  const early = [...world.receipts.calls];
  world.clock.advance(RECEIPT_TTL_MS + 1);

  assertEquals([early, world.receipts.calls], [
    [],
    ["60000 put a@0 b@0", "120000 put a@0 b@0", "180000 put a@0 b@0"],
  ]);
});

Deno.test("G2 a live operation's receipt outlives the time for which it is kept, and one left alone does not", async () => {
  using world = openWorld();
  world.keep("live");
  const [gone] = world.keep("gone");
  world.keeper.release(gone);

  world.clock.advance(10 * RECEIPT_TTL_MS);

  assertEquals([await world.receipts.get("live"), await world.receipts.get("gone")].map((one) => one?.cursor), [
    "0",
    undefined,
  ]);
});

Deno.test("G2 a connection's end writes where its own operations are, and no others'", () => {
  using world = openWorld();
  const [a, b] = world.keep("a", "b", "c");
  world.keeper.confirm(a, "1");
  world.clock.advance(1_000);

  world.keeper.release(a);
  world.keeper.release(b);

  assertEquals([world.receipts.calls, world.keeper.size], [["1000 put a@1", "1000 put b@0"], 1]);
});

Deno.test("what has ended with its connection is not written again", () => {
  using world = openWorld();
  const [a] = world.keep("a");
  world.keeper.confirm(a, "1");
  world.keeper.release(a);
  world.keeper.release(a);

  world.clock.advance(RECEIPT_TTL_MS);

  assertEquals(world.receipts.calls, ["0 put a@1"]);
});

Deno.test("an operation that ends takes its receipt with it, once, also a change that was not written yet", () => {
  using world = openWorld();
  const [a, b] = world.keep("a", "b");
  world.keeper.confirm(a, "1");
  world.keeper.confirm(b, "1");

  world.keeper.drop(a);
  world.keeper.drop(a);
  world.clock.advance(RECEIPT_TTL_MS / 2);

  assertEquals(world.receipts.calls, ["0 remove a", "5000 put b@1", "60000 put b@1"]);
});

Deno.test("G2 an operation whose id another has taken neither writes nor removes that one's receipt", () => {
  using world = openWorld();
  const [old] = world.keep("a");
  world.keep("a");

  world.keeper.release(old);
  world.keeper.drop(old);

  assertEquals([world.receipts.calls, world.keeper.size], [[], 1]);
});

Deno.test("an operation that was dropped is kept again, at once, when its client confirms all the same", () => {
  using world = openWorld();
  const [a] = world.keep("a");
  world.keeper.drop(a);
  world.clock.advance(1_000);

  world.keeper.confirm(a, "1");
  world.clock.advance(RECEIPT_TTL_MS / 2);

  assertEquals(world.receipts.calls, ["0 remove a", "1000 put a@1", "60000 put a@1"]);
});

Deno.test("G2 a client that is back before its connection's end was noticed goes on where it was, and the old one is detached", async () => {
  using world = openWorld();
  let detached = 0;
  const running = { ...operationOf("a"), detach: () => void detached++ };
  world.keeper.keep(running);
  world.keeper.confirm(running, "1");

  const receipt = await world.keeper.recall(operationOf("a").owner);
  world.clock.advance(RECEIPT_TTL_MS / 2);

  assertObjectMatch(receipt as Receipt, { operationId: "a", cursor: "1" });
  assertEquals([detached, world.keeper.size], [1, 0]);
  assertEquals(world.receipts.calls, ["0 put a@0", "0 put a@1"]);
});

Deno.test("G10 another user's client, or another operation of that id, is told nothing and detaches nobody", async () => {
  using world = openWorld();
  let detached = 0;
  world.keeper.keep({ ...operationOf("a"), detach: () => void detached++ });

  const answers = [
    await world.keeper.recall({ ...operationOf("a").owner, caller: callerOf("eve") }),
    await world.keeper.recall({ ...operationOf("a").owner, fingerprint: "another" }),
  ];

  assertEquals([answers, detached, world.keeper.size], [[undefined, undefined], 0, 1]);
});

Deno.test("G9 a closed keeper writes nothing and has no timer", () => {
  const world = openWorld();
  const [a] = world.keep("a");
  world.keeper.confirm(a, "1");

  world.keeper.close();
  const { pending } = world.clock;
  world.clock.advance(RECEIPT_TTL_MS);

  assertEquals([pending, world.receipts.calls], [0, []]);
});

Deno.test("receipts that cannot be written or read are logged, and the next time they are written again", async () => {
  using world = openWorld();
  const [a, b] = world.keep("a", "b");
  world.receipts.down = true;
  world.clock.advance(RECEIPT_TTL_MS / 2);
  world.keeper.drop(a);
  await world.keeper.recall(operationOf("c").owner);
  await eventLoopTurn();
  world.receipts.down = false;

  world.clock.advance(RECEIPT_TTL_MS / 2);

  assertEquals(world.telemetry.events.toSorted(), [
    "receipt.read_failed",
    "receipt.write_failed",
    "receipt.write_failed",
  ]);
  assertEquals([world.receipts.calls, b.confirmed], [["120000 put b@0"], "0"]);
});

/** Keeps receipts as long as an engine does, and notes each call with its time. */
class RecordingReceipts implements Receipts {
  readonly calls: string[] = [];
  /** While set, every call fails and is not noted. */
  down = false;
  readonly #kept = new Map<string, { readonly receipt: Receipt; readonly untilMs: number }>();

  constructor(readonly clock: ManualClock) {}

  put(receipts: readonly Receipt[]): Promise<void> {
    return this.#call(`put ${receipts.map(({ operationId, cursor }) => `${operationId}@${cursor}`).join(" ")}`, () => {
      const untilMs = this.clock.now() + RECEIPT_TTL_MS;
      for (const receipt of receipts) this.#kept.set(receipt.operationId, { receipt, untilMs });
    });
  }

  get(operationId: string): Promise<Receipt | undefined> {
    if (this.down) return Promise.reject(new Error("down"));
    const kept = this.#kept.get(operationId);
    return Promise.resolve(kept === undefined || kept.untilMs < this.clock.now() ? undefined : kept.receipt);
  }

  remove(operationIds: readonly string[]): Promise<void> {
    return this.#call(`remove ${operationIds.join(" ")}`, () => operationIds.forEach((id) => this.#kept.delete(id)));
  }

  #call(text: string, step: () => void): Promise<void> {
    if (this.down) return Promise.reject(new Error("down"));
    this.calls.push(`${this.clock.now() - START_MS} ${text}`);
    return Promise.resolve(step());
  }
}

function openWorld() {
  const clock = new ManualClock(START_MS);
  const receipts = new RecordingReceipts(clock);
  const telemetry = new RecordingTelemetry();
  const keeper = new ReceiptKeeper({ receipts, clock, telemetry });
  keeper.open();
  return {
    clock,
    receipts,
    telemetry,
    keeper,
    /** Keeps new operations, of which no call is noted. */
    keep<Ids extends string[]>(...operationIds: Ids): { [At in keyof Ids]: KeptOperation } {
      const kept = operationIds.map(operationOf);
      for (const one of kept) keeper.keep(one);
      receipts.calls.length = 0;
      return kept as { [At in keyof Ids]: KeptOperation };
    },
    [Symbol.dispose]: () => keeper.close(),
  };
}

function operationOf(operationId: string): KeptOperation {
  const owner = { operationId, fingerprint: "f", caller: callerOf("ann"), isNameless: true };
  return { owner, confirmed: "0", earned: false, detach() {} };
}
