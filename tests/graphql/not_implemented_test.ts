import { assertEquals, assertStringIncludes } from "@std/assert";
import { openSchemaWorld } from "../support/schema_world.ts";

/** Everything the contract has and this version does not, with the name it answers by. */
const UNBUILT: readonly (readonly [name: string, document: string])[] = [
  ["Query.rooms", `{ rooms { pageInfo { hasNextPage } } }`],
  ["joinRoom(state:)", `mutation { joinRoom(room: "lobby", state: { away: true }) { success } }`],
  ["setPresence", `mutation { setPresence(room: "lobby", state: 1) { success } }`],
  ["refreshToken", `mutation { refreshToken(token: "t") { success } }`],
  ["removeFromRoom", `mutation { removeFromRoom(room: "lobby", userId: "ben") { success } }`],
  ["disconnectUser", `mutation { disconnectUser(userId: "ben") { success } }`],
  ["messages(join: true)", `subscription { messages(room: "lobby", join: true) { id } }`],
  ["roomEvents with SNAPSHOT", `subscription { roomEvents(room: "lobby", types: [SNAPSHOT, JOINED]) { type } }`],
];

for (const [name, document] of UNBUILT) {
  Deno.test(`${name} answers NOT_IMPLEMENTED and does nothing`, async () => {
    await using world = await openSchemaWorld();
    const ann = world.connect("ann");

    const { errors = [], codes } = document.startsWith("subscription")
      ? await world.subscribe(document, ann)
      : await world.run(document, ann);

    assertEquals(codes, ["NOT_IMPLEMENTED"]);
    assertStringIncludes(errors[0]!.message, name);
    assertEquals([world.core.subscriptionCount, await world.rooms.roomsOf(ann)], [1, []]);
  });
}
