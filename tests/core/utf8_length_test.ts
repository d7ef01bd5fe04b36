import { assertEquals } from "@std/assert";
import { utf8Length } from "../../src/core/utf8_length.ts";

Deno.test("utf8Length() counts what an encoder would write", () => {
  for (
    const text of [
      "",
      "abc",
      "é",
      "\u07ff\u0800",
      "汉字",
      "😀",
      "a😀b",
      "\0",
      "\ud800",
      "\udc00\ud800",
      "\ud800\ud800x",
      "a\ud83d",
    ]
  ) {
    assertEquals(utf8Length(text), new TextEncoder().encode(text).length, text);
  }
});
