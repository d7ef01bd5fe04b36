import { assertEquals } from "@std/assert";
import { cellTests } from "./cell_tests.ts";
import type { Kind } from "./cells.ts";
import { FollowedRoom, type Outcome } from "./followed_room.ts";

const ONCE = ["a", "b", "missed (recovered: true)", "live"];
const AGAIN = ["a", "b", "b (recovered: true)", "missed", "live"];

/** How often each is refused before somebody listens again, and what it has seen then. */
const SEEN: Readonly<Record<Kind, Outcome & { readonly refusals: number }>> = {
  "stock": { refusals: 1, came: ["a", "b"], told: [], ends: [1006, 1006] },
  "one option": { refusals: 4, came: AGAIN, told: [], ends: [1006, 1006, 1006, 1006, 1006] },
  "resumable()": { refusals: 6, came: ONCE, told: ["recovered"], ends: [1006, 1006, 1006, 1006, 1006, 1006, 1006] },
  "SSE": { refusals: 2, came: ONCE, told: [], ends: ["error", "error", "error"] },
  "curl": { refusals: 2, came: ONCE, told: [], ends: [56, 7, 7] },
};

cellTests("refused reconnect", async (kind) => {
  const { refusals, ...seen } = SEEN[kind];
  await using room = await FollowedRoom.start(kind);
  const { proxy, gate, follower } = room;
  await room.confirm("a");
  await room.deliver("b");

  gate.close(refusals);
  proxy.refuse();
  proxy.cut();
  await room.untilLeft();
  await room.send(["missed"]);
  for (let refused = 0; refused < refusals; refused++) await follower.comeBack();
  await follower.until(({ ends }) => ends.length > refusals);
  await proxy.accept();
  gate.open();
  if (kind === "stock") {
    await follower.until(({ failure }) => failure !== undefined);
    assertEquals((follower.failure as { error: { code: string } }).error.code, "ECONNREFUSED");
  } else {
    await follower.comeBack();
    await follower.until(({ came }) => came.some((message) => message.startsWith("missed")));
    await room.deliver("live");
  }

  assertEquals(room.outcome(), seen);
});
