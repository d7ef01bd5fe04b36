import { assertEquals } from "@std/assert";
import { cellTests } from "./cell_tests.ts";
import type { Kind } from "./cells.ts";
import { FollowedRoom, type Outcome } from "./followed_room.ts";

const ONCE = ["a", "b", "lost (recovered: true)", "missed", "live"];
const AGAIN = ["a", "b", "b (recovered: true)", "lost", "missed", "live"];

const SEEN: Readonly<Record<Kind, Outcome>> = {
  "stock": { came: AGAIN, told: [], ends: [1006] },
  "one option": { came: AGAIN, told: [], ends: [1006] },
  "resumable()": { came: ONCE, told: ["recovered"], ends: [1006] },
  "SSE": { came: ONCE, told: [], ends: ["error"] },
  "curl": { came: ONCE, told: [], ends: [56] },
};

cellTests("frame lost in flight", async (kind) => {
  await using room = await FollowedRoom.start(kind);
  const { proxy, gate, follower } = room;
  await room.confirm("a");
  await room.deliver("b");

  gate.close();
  proxy.swallow();
  const swallowed = proxy.next("swallowed");
  await room.send(["lost"]);
  await swallowed;
  proxy.cut();
  await room.untilLeft();
  await room.send(["missed"]);
  gate.open();
  await follower.comeBack();
  await follower.until(({ came }) => came.includes("missed"));
  await room.deliver("live");

  assertEquals(room.outcome(), SEEN[kind]);
});
