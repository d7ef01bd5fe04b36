import { assertEquals, assertStringIncludes } from "@std/assert";
import { openSchemaWorld } from "../support/schema_world.ts";

/** Everything the contract has and this version does not, with the name it answers by. */
const UNBUILT: readonly (readonly [name: string, document: string])[] = [
  ["refreshToken", `mutation { refreshToken(token: "t") { success } }`],
];

for (const [name, document] of UNBUILT) {
  Deno.test(`${name} answers NOT_IMPLEMENTED and does nothing`, async () => {
    await using world = await openSchemaWorld();
    const ann = world.connect("ann");

    const { errors = [], codes } = await world.run(document, ann);

    assertEquals(codes, ["NOT_IMPLEMENTED"]);
    assertStringIncludes(errors[0]!.message, name);
    assertEquals([world.core.subscriptionCount, await world.rooms.roomsOf(ann)], [1, []]);
  });
}
