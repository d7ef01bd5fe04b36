import { assertEquals } from "@std/assert";
import { parseRoomName } from "../../src/core/room_name.ts";
import { FencedClient } from "../support/fenced_client.ts";
import { startLocalServer } from "../support/local_server.ts";
import { createMembershipParts } from "../support/membership_parts.ts";
import { openMemoryWorld } from "../support/memory_world.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import { peerOf } from "../support/peer_of.ts";

const join = (room: string) => `mutation { joinRoom(room: "${room}") { success } }`;
const leave = (room: string) => `mutation { leaveRoom(room: "${room}") { success } }`;
const ROOMS = 2_000;
/** How long an emptied stream is remembered at the most, and its history before that. */
const FORGOTTEN_MS = 86_400_000 + 600_000;

Deno.test("too many rooms: one session's are bounded, and leaving one makes room", async () => {
  await using server = await startLocalServer({ limits: { roomsPerSession: 5 } });
  await using ann = await FencedClient.open(server.webSocketUrl, { init: {}, answers: true, onMessage() {} });
  for (let room = 0; room < 5; room++) await ann.run(join(`room-${room}`));

  const refused = await ann.run(join("one-more"));
  await ann.run(leave("room-3"));
  const joined = await ann.run(join("one-more"));

  assertEquals(refused.errors[0].extensions, { code: "ROOM_LIMIT", limit: 5 });
  assertEquals(joined, { joinRoom: { success: true } });
});

Deno.test(`too many rooms: ${ROOMS} rooms joined and left leave nothing behind, and few of them before they are forgotten`, async () => {
  const world = await openMemoryWorld({ emptiedStreams: 100 });
  const { core, clock, nodes: [{ presence }] } = world;
  const telemetry = new RecordingTelemetry();
  const parts = createMembershipParts({ presence, clock, telemetry, leaveGraceMs: 10_000, maxRoomsPerSession: 100 });
  const connection = parts.sessions.connect({ userId: "ann", sessionId: "one" }, peerOf("ann"));
  const { session } = connection;
  const timers = clock.pending;
  const counts = () => [core.roomCount, core.streamCount, core.storedBytes, parts.memberships.size, session.rooms.size];

  for (let number = 0; number < ROOMS; number++) {
    const room = parseRoomName(`room-${number}`);
    await parts.memberships.join(session, room);
    await parts.memberships.leave("ann", { sessions: [session], sessionId: "one" }, room);
  }
  const [roomsLeft, streams, , heldLeft] = counts();
  clock.advance(600_000);
  const emptied = core.streamCount;
  clock.advance(FORGOTTEN_MS);

  assertEquals([roomsLeft, streams, heldLeft, emptied], [0, ROOMS, 0, 100]);
  assertEquals(counts(), [0, 0, 0, 0, 0]);
  assertEquals(clock.pending, timers);
  connection.close("DISCONNECTED");
  parts.close();
  await world.close();
});
