import { assertEquals } from "@std/assert";
import { cellTests } from "./cell_tests.ts";
import type { Kind } from "./cells.ts";
import { FollowedRoom, type Outcome } from "./followed_room.ts";

/** Three are kept of the five that were missed: neither "b" nor the first two. */
const KEPT = ["a", "b", "missed-3 (recovered: false)", "missed-4", "missed-5", "live"];

const SEEN: Readonly<Record<Kind, Outcome>> = {
  "stock": { came: KEPT, told: [], ends: [1006] },
  "one option": { came: KEPT, told: [], ends: [1006] },
  "resumable()": { came: KEPT, told: ["gap"], ends: [1006] },
  "SSE": { came: KEPT, told: [], ends: ["error"] },
  "curl": { came: KEPT, told: [], ends: [56] },
};

cellTests("expired history", async (kind) => {
  await using room = await FollowedRoom.start(kind, { server: { history: { count: 3 } } });
  const { proxy, gate, follower } = room;
  await room.confirm("a");
  await room.deliver("b");

  gate.close();
  proxy.cut();
  await room.untilLeft();
  await room.send(["missed-1", "missed-2", "missed-3", "missed-4", "missed-5"]);
  gate.open();
  await follower.comeBack();
  await follower.until(({ came }) => came.includes("missed-5"));
  await room.deliver("live");

  assertEquals(room.outcome(), SEEN[kind]);
});
