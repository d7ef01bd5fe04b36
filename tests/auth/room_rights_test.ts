import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseRoomRights } from "../../src/auth/room_rights.ts";
import type { RoomRight } from "../../src/core/auth.ts";

const RIGHTS: readonly RoomRight[] = ["read", "send", "join"];

/** The rights a claim gives in a room; the claim as the text it comes as. */
function rightsIn(claim: string, room: string): readonly RoomRight[] {
  const rights = parseRoomRights(JSON.parse(claim));
  return RIGHTS.filter((right) => rights.allows(room, right));
}

const MATCHES: readonly (readonly [pattern: string, names: readonly string[], others: readonly string[]])[] = [
  ["lobby", ["lobby"], ["lobby2", "Lobby", "the lobby", "lobb", "lob*by", "*"]],
  ["team-*", ["team-", "team-1", "team-a/b c", "team-*"], ["team", "Team-1", "a team-1", "steam-1"]],
  ["*", ["lobby", "*", "постель", "👩‍👩‍👧"], []],
  ["***", ["lobby"], []],
  ["*-team", ["-team", "a-team"], ["a-team-", "team"]],
  ["a*b", ["ab", "axb", "abb", "a b a b"], ["a", "b", "abc", "ba"]],
  ["a*a", ["aa", "aaa", "a-a"], ["a"]],
  ["a*b*c", ["abc", "a b c", "abbcc", "aXbYbZc"], ["acb", "ac", "abcd"]],
  ["*a*a*a*", ["aaa", "xaxaxax"], ["aa", "xaxax"]],
  ["ab*ba", ["abba", "ab-ba"], ["aba", "abb"]],
  ["", [], ["a", "*"]],
  ["[a-z]+", ["[a-z]+"], ["a", "ab"]],
  ["a?c", ["a?c"], ["abc", "ac"]],
  ["a.c", ["a.c"], ["abc"]],
  ["**\\*", ["\\", "a\\b"], ["a"]],
  ["(a+)+$", ["(a+)+$"], ["aaa"]],
  ["team-1 ", [], ["team-1", "team-1\u00a0"]],
  ["caf\u0065\u0301*", ["caf\u00e9", "caf\u00e9-1"], ["cafe", "caf\u00c9"]],
  ["*\u212b", ["\u00c5", "x\u00c5"], ["A"]],
  ["ＡＢ", ["ＡＢ"], ["AB"]],
  ["__proto__", ["__proto__"], ["constructor", "toString"]],
  ["constructor", ["constructor"], ["__proto__", "a"]],
  ["toString", ["toString"], ["hasOwnProperty"]],
];

for (const [pattern, names, others] of MATCHES) {
  Deno.test(`the pattern ${JSON.stringify(pattern)} of a claim stands for itself, its stars for anything`, () => {
    // As text: a key of a literal may be no key at all.
    const claim = `{${JSON.stringify(pattern)}:["read"]}`;

    assertEquals(names.filter((name) => rightsIn(claim, name).length === 0), []);
    assertEquals(others.filter((name) => rightsIn(claim, name).length > 0), []);
  });
}

Deno.test("the rights of all patterns that match add up, and no others", () => {
  const claim =
    `{"team-*":["read"],"*-1":["send"],"team-1":["join","read"],"team-2":[],"\u00e9":["read"],"e\u0301":["join"]}`;

  const rooms = ["team-1", "team-2", "other-1", "other-2", "\u00e9"];

  assertEquals(rooms.map((room) => rightsIn(claim, room)), [
    ["read", "send", "join"],
    ["read"],
    ["send"],
    [],
    ["read", "join"],
  ]);
});

Deno.test("rights that are not known allow nothing, {} neither", () => {
  for (const claim of ["{}", `{"*":[]}`, `{"*":["READ","admin","moderate","broadcast","*","","__proto__"]}`]) {
    assertEquals(rightsIn(claim, "lobby"), [], claim);
  }
  assertEquals(rightsIn(`{"*":["write","send"]}`, "lobby"), ["send"]);
});

Deno.test("a claim of harmful names changes no prototype", () => {
  parseRoomRights(JSON.parse(`{"__proto__":["read"],"constructor":["send"],"prototype":["join"]}`));

  assertEquals([Object.keys(Object.prototype), ({} as { read?: unknown }).read], [[], undefined]);
});

const MALFORMED: readonly string[] = [
  "null",
  "true",
  "1",
  `"*"`,
  "[]",
  `["read"]`,
  `[["*",["read"]]]`,
  `{"*":null}`,
  `{"*":"read"}`,
  `{"*":{"read":true}}`,
  `{"*":true}`,
  `{"*":[["read"]]}`,
  `{"*":["read",1]}`,
  `{"*":["read",null]}`,
  `{"lobby":["read"],"attic":"read"}`,
  `{"\\ud83d*":["read"]}`,
];

for (const claim of MALFORMED) {
  Deno.test(`the claim ${claim} cannot be understood`, () => {
    assertThrows(() => parseRoomRights(JSON.parse(claim)), TypeError, "Cannot use");
  });
}

Deno.test("a claim has 200 patterns of 512 characters with 32 rights, and no more", () => {
  const patterns = (count: number, length: number, rights: number) =>
    Object.fromEntries(
      Array.from(
        { length: count },
        (_, at) => [String(at).padStart(length, "p"), Array.from({ length: rights }, () => "read")],
      ),
    );

  assert(parseRoomRights(patterns(200, 512, 32)).allows("199".padStart(512, "p"), "read"));
  for (const claim of [patterns(201, 3, 1), patterns(1, 513, 1), patterns(1, 3, 33)]) {
    assertThrows(() => parseRoomRights(claim), RangeError, "Cannot use");
  }
});

Deno.test("matching takes time in proportion: the worst patterns on the longest names", () => {
  // An expression made of this would try some 10^40 ways.
  const worst = parseRoomRights({ [`${"a*".repeat(255)}b`]: ["read"], [`*${"a".repeat(120)}*b`]: ["read"] });
  const name = "a".repeat(128);
  const startedAtMs = performance.now();

  for (let times = 0; times < 1_000; times++) assertEquals(worst.allows(name, "read"), false);

  // Some 20 ms; a bound that only what explodes can pass.
  assert(performance.now() - startedAtMs < 5_000);
});

/** Few characters, so that patterns and names meet; some that NFC changes. */
const CHARACTER = fc.constantFrom("a", "b", "A", "-", "\u00e9", "e", "\u0301", "👍", "\\", ".", "^", "$");
const NAME = fc.array(CHARACTER, { maxLength: 8 }).map((all) => all.join("").normalize("NFC"));
const PATTERN = fc.array(fc.oneof(CHARACTER, fc.constant("*")), { maxLength: 8 }).map((all) => all.join(""));
const CLAIM = fc.array(fc.tuple(PATTERN, fc.subarray([...RIGHTS, "other"])), { maxLength: 4 });

Deno.test("rights are what trying everything finds, whatever the claim and the room", () => {
  fc.assert(
    fc.property(CLAIM, NAME, (entries, room) => {
      const claim = Object.fromEntries(entries);
      const rights = parseRoomRights(claim);
      const expected = RIGHTS.filter((right) =>
        Object.entries(claim).some(([pattern, given]) =>
          given.includes(right) && tryEverything(pattern.normalize("NFC"), room)
        )
      );

      assertEquals(RIGHTS.filter((right) => rights.allows(room, right)), expected);
    }),
    { numRuns: 5_000 },
  );
});

/** A star takes nothing, or one unit and goes on. */
function tryEverything(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] !== "*") {
    return name !== "" && pattern[0] === name[0] && tryEverything(pattern.slice(1), name.slice(1));
  }
  return tryEverything(pattern.slice(1), name) || (name !== "" && tryEverything(pattern, name.slice(1)));
}
