import { assertEquals } from "@std/assert";
import { failureText } from "../../src/console/failure_text.ts";

const LOST = "The connection to the server was lost";
const FAILURES: readonly (readonly [failure: unknown, text: string])[] = [
  [[{ message: "Cannot send" }, { message: "Cannot join" }], "Cannot send; Cannot join"],
  [new Error("Cannot connect"), "Cannot connect"],
  [{ code: 4401, reason: "token is not valid" }, "token is not valid"],
  [{ code: 1006, reason: "" }, LOST],
  [undefined, LOST],
  [null, LOST],
];

for (const [failure, text] of FAILURES) {
  Deno.test(`failureText() says "${text}" of ${JSON.stringify(failure) ?? "nothing"}`, () => {
    assertEquals(failureText(failure), text);
  });
}
