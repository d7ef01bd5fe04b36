import { assertEquals, assertThrows } from "@std/assert";
import { RealtimeError } from "../../src/core/errors.ts";
import { parseRoomName } from "../../src/core/room_name.ts";

function refusal(text: string): RealtimeError {
  return assertThrows(() => parseRoomName(text), RealtimeError);
}

Deno.test("parseRoomName() keeps ordinary names as they are, case too", () => {
  for (const name of ["a", "Lobby", "team/42#general", "two words", "汉字", "😀"]) {
    assertEquals<string>(parseRoomName(name), name);
  }
});

Deno.test("parseRoomName() makes one name of one name written two ways", () => {
  assertEquals(parseRoomName("cafe\u0301"), parseRoomName("caf\u00e9"));
});

Deno.test("parseRoomName() counts code points, not units or bytes", () => {
  assertEquals(parseRoomName("😀".repeat(128)).length, 256);
  assertEquals(parseRoomName("x".repeat(128)).length, 128);
  for (const name of ["😀".repeat(129), "x".repeat(129)]) {
    assertEquals(
      refusal(name).message,
      `Cannot use ${JSON.stringify(`${name.slice(0, 40)}…`)} as a room name: must have at most 128 characters, has 129`,
    );
  }
});

Deno.test("parseRoomName() refuses an empty name and outer white space", () => {
  for (const text of ["", " ", " a", "a ", "\ta", "a\u00a0", "\u3000a"]) {
    assertEquals(refusal(text).code, "BAD_USER_INPUT");
  }
});

Deno.test("parseRoomName() refuses what breaks a line or reorders it", () => {
  const texts = [
    "a\nb",
    "a\0b",
    "a\u0085b",
    "a\u2028b",
    "a\u202eb",
    "a\u2066b",
    "a\u200fb",
    "a\u061cb",
    "a\ud800b",
    "a\x7fb",
  ];
  for (const text of texts) assertEquals(refusal(text).code, "BAD_USER_INPUT", JSON.stringify(text));
});
