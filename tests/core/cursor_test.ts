import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatCursor, parseCursor } from "../../src/core/cursor.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { eventsFeed, everyoneFeed, type Feed, messagesFeed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";

const lobby = messagesFeed(parseRoomName("lobby"));
const room = { epoch: "r1", offset: 7, timeUs: 1_700_000_000_000_000 };
const all = { epoch: "e1", offset: 0, timeUs: 0 };
const cursor = formatCursor(lobby, [room, all]);

function refusal(feed: Feed, text: string): RealtimeError {
  return assertThrows(() => parseCursor(feed, text), RealtimeError);
}

Deno.test("parseCursor() reads what formatCursor() wrote, one position or a pair", () => {
  assertEquals(parseCursor(lobby, cursor), [room, all]);
  assertEquals(parseCursor(everyoneFeed(), formatCursor(everyoneFeed(), [all])), [all]);
});

Deno.test("formatCursor() needs no escaping in JSON, in a URL or in a header", () => {
  assertMatch(formatCursor(messagesFeed(parseRoomName('"汉 字"\\')), [room, all]), /^[0-9A-Za-z.~-]+$/);
});

Deno.test("parseCursor() refuses another room's cursor, and another feed's of the same room", () => {
  for (const feed of [messagesFeed(parseRoomName("other")), eventsFeed(parseRoomName("lobby")), everyoneFeed()]) {
    const error = refusal(feed, cursor);
    assertEquals(error.code, "BAD_USER_INPUT");
    assertMatch(error.message, /does not belong to/);
  }
});

Deno.test("parseCursor() refuses what is no cursor, one of another version, and one with too few or many parts", () => {
  const texts = [
    "",
    "x",
    "2" + cursor.slice(1),
    cursor.slice(0, -1) + "!",
    cursor.split("~", 2).join("~"),
    `${cursor}~e.0-0`,
  ];
  for (const text of texts) assertEquals(refusal(lobby, text).code, "BAD_USER_INPUT", text);
});

Deno.test("parseCursor() shows no more than the beginning of a long text", () => {
  assertEquals(refusal(lobby, `1${"x".repeat(100_000)}`).message.length < 200, true);
});
