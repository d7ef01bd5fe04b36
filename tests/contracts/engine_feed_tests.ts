import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { formatCursor, parseCursor } from "../../src/core/cursor.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { encodeEvent } from "../../src/core/event.ts";
import { eventsFeed, everyoneFeed, type FeedPosition, messagesFeed } from "../../src/core/feed.ts";
import { parseStart } from "../../src/core/feed_start.ts";
import { Hub } from "../../src/core/hub.ts";
import type { Position } from "../../src/core/position.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { EVERYONE } from "../../src/core/stream.ts";
import { silentTelemetry } from "../../src/core/telemetry.ts";
import { FeedFollower } from "../support/feed_follower.ts";
import { collectedHeapBytes } from "../support/heap.ts";
import { seeded } from "../support/seeded.ts";
import type { EngineWorld, RegisterTest } from "./engine_suite.ts";

const LOBBY = "messages:lobby";
const lobby = parseRoomName("lobby");
const other = parseRoomName("other");
const feed = messagesFeed(lobby);
const SMALL = { count: 50, ageMs: 300_000, bytes: 1_048_576 };
const SEED = 20_261_123;

/** c16c, c19 and c25: what the readers of a feed rely on, above the engine. */
export function registerFeedTests(test: RegisterTest): void {
  test("c16c", "G5 the cursor of another feed is refused, whatever its positions", async ({ nodes: [one, two] }) => {
    const positions: Position[] = [await one.log.top(LOBBY), await two.log.top(EVERYONE)];
    for (const stream of [LOBBY, "events:lobby", "messages:other", EVERYONE] as const) {
      positions.push((await one.log.publish(stream, "x")).position);
    }
    const feeds = [feed, messagesFeed(other), eventsFeed(lobby), eventsFeed(other), everyoneFeed()];
    for (const position of positions) {
      for (const own of feeds) {
        const place = own.streams.map(() => position);
        const cursor = formatCursor(own, place);
        assertEquals(parseCursor(own, cursor), place);
        for (const another of feeds.filter(({ key }) => key !== own.key)) {
          const start = () => parseStart(another, { after: cursor, last: null });
          for (const read of [start, () => parseCursor(another, cursor)]) {
            const { code } = assertThrows(read, RealtimeError);
            assertEquals(code, "BAD_USER_INPUT", `a cursor of ${own.key}, read for ${another.key}`);
          }
        }
      }
    }
  });

  test("c19", "G4 what a reader does not take for a while comes later, whole, and delays nobody", async (world) => {
    using talk = await openTalk(world);
    const [slow, quick] = [await FeedFollower.open(talk.hubs[0], feed), await FeedFollower.open(talk.hubs[1], feed)];
    await talk.say(10);
    await Promise.all([slow.until(10), quick.until(10)]);
    slow.pause();
    await talk.say(600);
    await quick.until(610);
    const taken = slow.deliveries.length;
    // More comes while it reads what it missed.
    await slow.resume({ betweenPages: () => talk.said < 800 ? talk.say(2) : Promise.resolve() });
    const resumed = slow.deliveries.length;
    await talk.say(10);
    await Promise.all([slow.until(resumed + 10), quick.until(resumed + 10)]);
    assertEquals([taken, slow.gaps, quick.gaps], [10, 0, 0]);
    for (const follower of [slow, quick]) await assertFollows(world, follower, START);
  });

  test("c19b", "G4 what nobody takes costs no memory, and what is no longer kept is said", async (world) => {
    using talk = await openTalk(world);
    const [slow, quick] = [await FeedFollower.open(talk.hubs[0], feed), await FeedFollower.open(talk.hubs[1], feed)];
    slow.pause();
    const sayMuch = async (): Promise<void> => {
      await talk.say(1_000, "x".repeat(10_000));
      await quick.until(1_000);
      quick.deliveries.length = 0;
    };
    await sayMuch();
    const before = collectedHeapBytes();
    for (let more = 0; more < 4; more++) await sayMuch();
    // 40 MB have gone by, and of each stream no more is kept than before.
    assertLess(collectedHeapBytes() - before, 4_000_000);
    await slow.resume();
    const kept = feed.streams.map((stream) => world.nodes[1].log.read(stream, { limit: 1_000 }));
    const offsets = (await Promise.all(kept)).map(({ entries }) => entries.map(({ position }) => position.offset));
    assertEquals(slow.streamOffsets, offsets);
    assertEquals([offsets.map(({ length }) => length), slow.gaps, quick.gaps], [[50, 50], 2, 0]);
  }, SMALL);

  test("c25", `G5 the pair in any delivery's cursor resumes to exactly the rest (seed ${SEED})`, async (world) => {
    using talk = await openTalk(world);
    const random = seeded(SEED);
    const pick = <T>(things: readonly T[]): T => things[Math.floor(random() * things.length)]!;
    const witnesses = [await FeedFollower.open(talk.hubs[0], feed), await FeedFollower.open(talk.hubs[1], feed)];
    await talk.say(20);
    for (let cut = 0; cut < 200; cut++) {
      for (const witness of witnesses) await witness.until(talk.said);
      const saying = talk.say(Math.floor(random() * 4));
      let from: FeedPosition | undefined = parseCursor(feed, pick(pick(witnesses).deliveries).cursor);
      // What follows a cut carries cursors too, of its own: they are cut as well.
      while (from !== undefined) {
        const follower = await FeedFollower.open(pick(talk.hubs), feed, from);
        await saying;
        await follower.until(talk.said - from.reduce((sum, { offset }) => sum + offset, 0));
        await assertFollows(world, follower, from);
        assertEquals(follower.gaps, 0);
        follower.stop();
        from = follower.deliveries.length === 0 ? undefined : parseCursor(feed, pick(follower.deliveries).cursor);
      }
    }
    for (const witness of witnesses) await assertFollows(world, witness, START);
  });
}

/** Before the first message of a storage that nobody has used. */
const START: Pick<Position, "offset">[] = feed.streams.map(() => ({ offset: 0 }));

/** A hub on each node, and somebody who speaks. */
interface Talk extends Disposable {
  readonly hubs: readonly [Hub, Hub];
  /** How many messages have been sent. */
  readonly said: number;
  /** Sends so many, to the room or to everyone, from one node or the other. */
  say(count: number, content?: string): Promise<void>;
}

async function openTalk({ nodes, clock }: EngineWorld): Promise<Talk> {
  const random = seeded(SEED);
  const [one, two] = nodes.map(({ log }) => new Hub({ log, clock, telemetry: silentTelemetry })) as [Hub, Hub];
  for (const hub of [one, two]) await hub.open();
  let said = 0;
  return {
    hubs: [one, two],
    get said() {
      return said;
    },
    async say(count, content = "x") {
      said += count;
      const text = encodeEvent({
        kind: "message",
        senderId: "ann",
        content,
        event: null,
        data: null,
        idempotencyKey: null,
        excludedSessionId: null,
      });
      for (let left = count; left > 0; left--) {
        await nodes[random() < 0.5 ? 0 : 1].log.publish(random() < 0.4 ? EVERYONE : LOBBY, text);
      }
    },
    [Symbol.dispose]() {
      for (const hub of [one, two]) hub.close();
    },
  };
}

/** Checks that it has got, of each stream and in order, exactly what followed a place. */
async function assertFollows(
  { nodes }: EngineWorld,
  follower: FeedFollower,
  from: readonly Pick<Position, "offset">[],
): Promise<void> {
  const tops = await Promise.all(feed.streams.map((stream) => nodes[0].log.top(stream)));
  const expected = tops.map(({ offset: top }, index) => {
    const { offset } = from[index]!;
    return Array.from({ length: top - offset }, (_, at) => offset + 1 + at);
  });
  assertEquals(follower.streamOffsets, expected);
}
