import { assertEquals } from "@std/assert";
import type { Engine, RoomRange } from "../../src/core/engine.ts";
import { parseRoomName, type RoomName } from "../../src/core/room_name.ts";
import { EVERYONE, messagesOf } from "../../src/core/stream.ts";
import type { RegisterTest } from "./engine_suite.ts";
import { beginning, left, share } from "./presence_steps.ts";

const SHORT = { count: 5, ageMs: 200, bytes: 1_048_576 };
/** Longer than it takes any engine to free what has grown too old, and to end a lease. */
const FREED_MS = 10_000;

/** d1 to d5: what the directory of rooms promises. */
export function registerDirectoryTests(test: RegisterTest): void {
  test("d1", "rooms are those with a member or a kept message, once each, by name", async ({ nodes: [one, two] }) => {
    const before = await list(one);
    for (const [node, room] of [[one, "b"], [two, "é"], [two, "a"], [one, "a"]] as const) await enter(node, room);
    for (const room of ["b", "B", "a/b"]) await send(two, room);
    await one.log.publish(EVERYONE, "hello");
    await one.log.top(messagesOf(parseRoomName("looked at")));
    assertEquals(before, { rooms: [], hasMore: false });
    for (const node of [one, two]) {
      assertEquals(await list(node), { rooms: ["B", "a", "a/b", "b", "é"].map(parseRoomName), hasMore: false });
    }
  });

  test("d2", "rooms come in pages, behind any name", async ({ nodes: [one, two] }) => {
    for (let at = 0; at < 25; at++) {
      const room = `room-${String(at).padStart(2, "0")}`;
      await (at % 2 === 0 ? send(one, room) : enter(two, room));
    }
    const seen: RoomName[] = [];
    const sizes: number[] = [];
    for (let hasMore = true; hasMore;) {
      const last = seen.at(-1);
      const page = await list(two, { limit: 10, ...(last === undefined ? {} : { after: last }) });
      seen.push(...page.rooms);
      sizes.push(page.rooms.length);
      hasMore = page.hasMore;
    }
    assertEquals([sizes, seen.length, seen], [[10, 10, 5], 25, seen.toSorted()]);
    const between = await list(one, { limit: 1, after: parseRoomName("room-03a") });
    const exact = await list(one, { limit: 1, after: parseRoomName("room-23") });
    const end = await list(one, { limit: 1, after: parseRoomName("room-24") });
    assertEquals(between, { rooms: [parseRoomName("room-04")], hasMore: true });
    assertEquals(exact, { rooms: [parseRoomName("room-24")], hasMore: false });
    assertEquals(end, { rooms: [], hasMore: false });
  });

  test("d3", "rooms can be asked for by how their names begin", async ({ nodes: [one, two] }) => {
    for (const room of ["game", "game/1", "game/2", "game/3", "Game/4", "gam", "a*c", "abc", "a[b]", "a?"]) {
      await send(one, room);
    }
    const pages = [
      await list(two, { prefix: "game/", limit: 2 }),
      await list(two, { prefix: "game/", limit: 2, after: parseRoomName("game/2") }),
      await list(two, { prefix: "game/", after: parseRoomName("a") }),
      await list(two, { prefix: "a*" }),
      await list(two, { prefix: "a[" }),
      await list(two, { prefix: "a?" }),
      await list(two, { prefix: "nothing" }),
    ];
    assertEquals(pages.map(({ rooms }) => rooms as readonly string[]), [
      ["game/1", "game/2"],
      ["game/3"],
      ["game/1", "game/2", "game/3"],
      ["a*c"],
      ["a[b]"],
      ["a?"],
      [],
    ]);
    assertEquals(pages.map(({ hasMore }) => hasMore), [true, false, false, false, false, false, false]);
  });

  test("d4", "a room without a member is gone, also when its events are kept", async ({ nodes: [one, two] }) => {
    for (const node of [one, two]) await enter(node, "a");
    await exit(one, "a");
    const during = (await list(one)).rooms;
    await exit(two, "a");
    assertEquals([during, await list(one)], [[parseRoomName("a")], { rooms: [], hasMore: false }]);
  });

  test(
    "d5",
    "a room is gone when its messages have grown too old and its lease has run out",
    async ({ nodes: [one, two], passTime }) => {
      await send(one, "a");
      const leased = parseRoomName("b");
      await one.presence.lease(leased, "ann", { ttlMs: 1_000, sessionId: "s" }, beginning("ann"));
      await send(one, "c");
      await enter(two, "c");
      const before = (await list(two)).rooms;
      await passTime(FREED_MS);
      assertEquals(before, ["a", "b", "c"].map(parseRoomName));
      assertEquals(await list(one), { rooms: [parseRoomName("c")], hasMore: false });
    },
    SHORT,
  );
}

function list(node: Engine, range: Partial<RoomRange> = {}) {
  return node.directory.rooms({ prefix: "", limit: 100, ...range });
}

function send(node: Engine, room: string) {
  return node.log.publish(messagesOf(parseRoomName(room)), "hello");
}

function enter(node: Engine, room: string) {
  return node.presence.enter(parseRoomName(room), "ann", share, beginning("ann"));
}

function exit(node: Engine, room: string) {
  return node.presence.exit(parseRoomName(room), "ann", left("ann"));
}
