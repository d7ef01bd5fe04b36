import { assertEquals } from "@std/assert";
import type { Engine, StreamEntry } from "../../src/core/engine.ts";
import type { Position } from "../../src/core/position.ts";
import { EntryCollector } from "../support/entry_collector.ts";
import type { RegisterTest } from "./engine_suite.ts";

const LOBBY = "messages:lobby";
const SMALL = { count: 5, ageMs: 200, bytes: 1_048_576 };

/** c12 to c17: what a read after a position promises. */
export function registerReadTests(test: RegisterTest): void {
  test("c12", "G5 what was missed and then live is exactly the rest, from any cut", async ({ nodes: [one, two] }) => {
    const positions: Position[] = [];
    const followers: { readonly cut: Position; readonly follower: Promise<Follower> }[] = [];
    for (let at = 0; at < 300; at++) {
      positions.push(...await publish(one, 1));
      const cut = positions[(at * 7_919) % positions.length]!;
      followers.push({ cut, follower: follow(two, cut) });
    }
    for (const { cut, follower } of followers) {
      const { missed, live } = await follower;
      await live.until(300 - cut.offset - missed.length);
      assertEquals([...missed, ...live.offsets], positions.slice(cut.offset).map(({ offset }) => offset));
    }
  });

  test("c13", "G5 a read after the top is empty, also of a stream nobody wrote to", async ({ nodes: [one, two] }) => {
    const untouched = await one.log.top(LOBBY);
    const empty = await two.log.read(LOBBY, { after: untouched, limit: 10 });
    const [written] = await publish(one, 1);
    const page = await two.log.read(LOBBY, { after: untouched, limit: 10 });
    assertEquals(untouched.offset, 0);
    assertEquals(empty, { entries: [], top: untouched, reset: null, hasOlder: false });
    assertEquals([page.reset, offsetsOf(page.entries)], [null, [1]]);
    assertEquals(await two.log.read(LOBBY, { after: written!, limit: 10 }), {
      entries: [],
      top: written!,
      reset: null,
      hasOlder: true,
    });
  });

  test("c14", "G5 a position of another epoch is EPOCH, with everything kept", async ({ nodes: [node] }) => {
    const [, , top] = await publish(node, 3);
    const page = await node.log.read(LOBBY, { after: { ...top!, epoch: "another" }, limit: 10 });
    assertEquals([page.reset, offsetsOf(page.entries), page.top], ["EPOCH", [1, 2, 3], top]);
  });

  test("c13b", "G4 a read is bounded in bytes too, and has one entry at least", async ({ nodes: [node] }) => {
    const { position: after } = await node.log.publish(LOBBY, "first");
    for (const text of ["é".repeat(50), "x".repeat(100), "y"]) await node.log.publish(LOBBY, text);
    const read = async (maxBytes: number) =>
      offsetsOf((await node.log.read(LOBBY, { after, limit: 10, maxBytes })).entries);
    assertEquals([await read(1), await read(199), await read(200), await read(201)], [[2], [2], [2, 3], [2, 3, 4]]);
  });

  test("c15", "G5 a position before what the count keeps is TRIMMED, from the oldest on", async ({ nodes: [node] }) => {
    const positions = await publish(node, 8);
    const trimmed = await node.log.read(LOBBY, { after: positions[1]!, limit: 10 });
    const edge = await node.log.read(LOBBY, { after: positions[2]!, limit: 10 });
    assertEquals([trimmed.reset, offsetsOf(trimmed.entries)], ["TRIMMED", [4, 5, 6, 7, 8]]);
    assertEquals([edge.reset, offsetsOf(edge.entries)], [null, [4, 5, 6, 7, 8]]);
  }, SMALL);

  test("c16", "G5 entries older than the age are TRIMMED", async ({ nodes: [node], passTime }) => {
    const [first] = await publish(node, 2);
    await passTime(SMALL.ageMs + 1);
    const [third] = await publish(node, 1);
    const page = await node.log.read(LOBBY, { after: first!, limit: 10 });
    assertEquals([page.reset, offsetsOf(page.entries), page.top], ["TRIMMED", [3], third]);
    await passTime(SMALL.ageMs + 1);
    assertEquals((await node.log.read(LOBBY, { limit: 10 })).entries, []);
  }, SMALL);

  test("c16b", "G5 one message after a pause longer than the age is recovered", async ({ nodes: [node], passTime }) => {
    const [, second] = await publish(node, 2);
    await passTime(SMALL.ageMs + 1);
    await publish(node, 1);
    const page = await node.log.read(LOBBY, { after: second!, limit: 10 });
    assertEquals([page.reset, offsetsOf(page.entries)], [null, [3]]);
  }, SMALL);

  test("c17", "G5 a position past the top, or one the log never had, is LOST", async ({ nodes: [node] }) => {
    const [first, second, top] = await publish(node, 3);
    const forged: Position[] = [
      { ...top!, offset: 4, timeUs: top!.timeUs + 1 },
      { ...top!, timeUs: top!.timeUs + 1 },
      { ...second!, timeUs: second!.timeUs + 1 },
      { ...first!, offset: 0 },
    ];
    for (const after of forged) {
      const page = await node.log.read(LOBBY, { after, limit: 10 });
      assertEquals([page.reset, offsetsOf(page.entries), page.top], ["LOST", [1, 2, 3], top]);
    }
  });
}

async function publish(node: Engine, count: number): Promise<Position[]> {
  const positions: Position[] = [];
  for (let at = 0; at < count; at++) positions.push((await node.log.publish(LOBBY, `${at}`)).position);
  return positions;
}

interface Follower {
  /** Offsets up to the start of the live delivery. */
  readonly missed: readonly number[];
  readonly live: EntryCollector;
}

/** Subscribes, then reads what lies between the cut and the subscription's start. */
async function follow(node: Engine, cut: Position): Promise<Follower> {
  const live = new EntryCollector();
  const { start } = await node.log.subscribe(LOBBY, live.listener);
  const missed: number[] = [];
  let after = cut;
  while (after.offset < start.offset) {
    const page = await node.log.read(LOBBY, { after, limit: 7 });
    assertEquals(page.reset, null);
    missed.push(...offsetsOf(page.entries).filter((offset) => offset <= start.offset));
    after = page.entries.at(-1)!.position;
  }
  return { missed, live };
}

function offsetsOf(entries: readonly StreamEntry[]): number[] {
  return entries.map((entry) => entry.position.offset);
}
