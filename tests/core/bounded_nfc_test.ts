import { assert, assertEquals } from "@std/assert";
import { boundedNfc } from "../../src/core/bounded_nfc.ts";

Deno.test("boundedNfc() makes NFC of what can become so few characters, and of nothing longer", () => {
  assertEquals(boundedNfc("e\u0301", 1), "\u00e9");
  assertEquals(boundedNfc("x".repeat(8), 1), "x".repeat(8));
  assertEquals(boundedNfc("x".repeat(9), 1), undefined);
  // It would take a minute.
  assertEquals(boundedNfc("\u0301\u0323".repeat(60_000), 128), undefined);
});

Deno.test("boundedNfc() leaves out no text of which one character comes", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    assert(String.fromCodePoint(code).normalize("NFD").length <= 8, code.toString(16));
  }
});
