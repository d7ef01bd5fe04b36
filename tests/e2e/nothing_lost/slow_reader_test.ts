import { assertEquals, assertGreater } from "@std/assert";
import { cellTests } from "./cell_tests.ts";
import type { Kind } from "./cells.ts";
import { FollowedRoom } from "./followed_room.ts";

/** Each message 32 times over: 26 MB on the wire, more than kernels take, of 0.8 MB that are kept. */
const COPIES = Array.from({ length: 32 }, (_, at) => `copy${at}: content`).join(" ");
const QUERY = `subscription { messages(room: "lobby") { content ${COPIES} } }`;
const SENT = Array.from({ length: 50 }, (_, at) => String(at));

/** A reader that stalls past the outbox, and then for some seconds more. */
interface Stall {
  readonly seconds: number;
  /** How its connection ends. */
  readonly end: unknown;
  /** What else is told. */
  readonly told?: readonly string[];
  /** Whether what had come before and was not confirmed comes again. */
  readonly repeats: boolean;
}

const UNCONFIRMED: readonly Stall[] = [
  // The server waits for the last Pong, then for the close to be answered.
  { seconds: 0, end: 1013, repeats: false },
  { seconds: 1, end: 1013, repeats: true },
  { seconds: 2, end: 1006, repeats: true },
];

const STALLS: Readonly<Record<Kind, readonly Stall[]>> = {
  "stock": UNCONFIRMED,
  "one option": UNCONFIRMED,
  "resumable()": UNCONFIRMED.map((stall) => ({ ...stall, told: ["recovered"], repeats: false })),
  "SSE": [{ seconds: 0, end: "error", repeats: false }],
  "curl": [{ seconds: 0, end: 18, repeats: false }],
};

cellTests("slow reader", async (kind) => {
  for (const { seconds, end, told = [], repeats } of STALLS[kind]) {
    await using room = await FollowedRoom.start(kind, { query: QUERY, server: { limits: { documentAliases: 32 } } });
    const { proxy, clock, follower } = room;
    await room.confirm("a");
    await room.deliver("b");

    proxy.stall("toClient");
    await room.send(SENT, 16_000);
    for (let second = 0; second < seconds; second++) clock.advance(1_000);
    proxy.resume();
    await follower.comeBack();
    await follower.until(({ came }) => came.at(-1) === SENT.at(-1));
    await room.deliver("live");

    const before = follower.came.findIndex((message) => message.includes("recovered"));
    const missed = repeats ? ["b", ...SENT] : SENT.slice(before - 2);
    assertGreater(before, 2, "some of it must have come before");
    assertEquals(room.outcome(), {
      came: ["a", "b", ...SENT.slice(0, before - 2), `${missed[0]} (recovered: true)`, ...missed.slice(1), "live"],
      told,
      ends: [end],
    });
  }
});
