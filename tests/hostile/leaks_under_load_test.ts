import { assert, assertEquals } from "@std/assert";
import { huntLeaks } from "../support/leak_hunt.ts";
import { BY_NAME } from "../support/matrix_world.ts";

Deno.test("no byte of a room reaches who may not read it, or not any more, while messages are sent all the time and rights flip", async () => {
  const { wrong, combinations, published } = await huntLeaks(1, 1, BY_NAME);

  assertEquals(wrong, []);
  assert(combinations >= 288 && published >= 200, `${combinations} ${published}`);
});
