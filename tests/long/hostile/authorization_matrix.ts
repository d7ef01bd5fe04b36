import { assert, assertEquals } from "@std/assert";
import { USERS } from "../../support/authorization_matrix.ts";
import { runMatrix } from "../../support/matrix_run.ts";
import { BY_NAME, ROADS } from "../../support/matrix_world.ts";

Deno.test("every user is answered exactly what its rights say, for every operation, room and transport, and gets no byte of a secret", async () => {
  const { wrong, combinations } = await runMatrix({
    road: BY_NAME,
    users: Object.keys(USERS),
    roadsOf: (_room, kind) => ROADS[kind],
  });

  assertEquals(wrong, []);
  assert(combinations >= 1_500, String(combinations));
});
