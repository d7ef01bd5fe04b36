import { assertLess } from "@std/assert";
import { parseRoomName } from "../../../src/core/room_name.ts";
import { collectedHeapBytes } from "../../support/heap.ts";
import { createMembershipParts } from "../../support/membership_parts.ts";
import { openMemoryWorld } from "../../support/memory_world.ts";
import { peerOf } from "../../support/peer_of.ts";

const ROOMS = 100_000;
/** How long an emptied stream is remembered, and its history before that. */
const FORGOTTEN_MS = 86_400_000 + 600_000;

Deno.test(`too many rooms: ${ROOMS} rooms joined and left give their memory back`, async () => {
  const world = await openMemoryWorld();
  const { core, clock, nodes: [{ presence }] } = world;
  const telemetry = { record() {} };
  const parts = createMembershipParts({ presence, clock, telemetry, leaveGraceMs: 10_000, maxRoomsPerSession: 100 });
  const connection = parts.sessions.connect({ userId: "ann", sessionId: "one" }, peerOf("ann"));
  const { session } = connection;
  const joinAndLeave = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number++) {
      const room = parseRoomName(`room-${number}`);
      await parts.memberships.join(session, room);
      await parts.memberships.leave("ann", { sessions: [session], sessionId: "one" }, room);
    }
  };
  // What is made once stays: compiled code, tables that have grown.
  await joinAndLeave(ROOMS);
  clock.advance(FORGOTTEN_MS);
  const before = collectedHeapBytes();

  await joinAndLeave(ROOMS);
  const during = collectedHeapBytes();
  clock.advance(600_000);
  const emptied = collectedHeapBytes();
  clock.advance(FORGOTTEN_MS);
  const after = collectedHeapBytes();

  console.log({ before, during, emptied, after, streams: core.streamCount });
  assertLess(Math.abs(after - before) / before, 0.02);
  connection.close("DISCONNECTED");
  parts.close();
  await world.close();
});
