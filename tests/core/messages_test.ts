import { assertEquals, assertRejects } from "@std/assert";
import type { Caller } from "../../src/core/caller.ts";
import type { StreamLog } from "../../src/core/engine.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { decodeEntry } from "../../src/core/event.ts";
import { formatCursor } from "../../src/core/cursor.ts";
import { everyoneFeed, messagesFeed } from "../../src/core/feed.ts";
import { type MessageRequest, sendMessage, type SentMessage } from "../../src/core/messages.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { type MemoryWorld, openMemoryWorld } from "../support/memory_world.ts";

const room = parseRoomName("lobby");
const plain: MessageRequest = {
  room,
  content: "hello",
  event: null,
  data: null,
  excludeSelf: false,
  idempotencyKey: null,
};
const ann = callerOf("ann");
const everyoneTop = { epoch: "e", offset: 3, timeUs: 3 };

Deno.test("sendMessage() publishes to the room, and answers with what readers get", async () => {
  await using world = await openWorld();
  const { view, duplicate } = await world.send(ann, { ...plain, event: "greeted", data: { to: ["bob", null] } });
  const { entries } = await world.log.read("messages:lobby", { limit: 10 });
  assertEquals(duplicate, false);
  assertEquals(entries.map((entry) => decodeEntry("messages:lobby", entry)), [view.publication]);
  assertEquals(view.cursor, formatCursor(messagesFeed(room), [view.publication.position, everyoneTop]));
});

Deno.test("sendMessage() without a room publishes to everyone", async () => {
  await using world = await openWorld();
  const { view } = await world.send(ann, { ...plain, room: null });
  assertEquals(view.publication.stream, "everyone");
  assertEquals(view.cursor, formatCursor(everyoneFeed(), [view.publication.position]));
});

Deno.test("G6 sendMessage() answers a repeated key with the first message", async () => {
  await using world = await openWorld();
  const first = await world.send(ann, { ...plain, idempotencyKey: "k" });
  const again = await world.send(ann, { ...plain, idempotencyKey: "k" });
  assertEquals(again, { view: first.view, duplicate: true });
});

Deno.test("G6 sendMessage() refuses a repeated key with other arguments", async () => {
  await using world = await openWorld();
  await world.send(ann, { ...plain, idempotencyKey: "k" });
  for (const other of [{ content: "bye" }, { event: "e" }, { data: 1 }, { excludeSelf: true }]) {
    const error = await refusal(() => world.send(ann, { ...plain, idempotencyKey: "k", ...other }));
    assertEquals(error.code, "IDEMPOTENCY_KEY_REUSED");
  }
});

Deno.test("G6 sendMessage() keeps the keys of two senders apart", async () => {
  await using world = await openWorld();
  await world.send(ann, { ...plain, idempotencyKey: "k" });
  const { duplicate } = await world.send(callerOf("bob"), { ...plain, idempotencyKey: "k" });
  assertEquals(duplicate, false);
});

Deno.test("sendMessage() with excludeSelf stores the session that must not get it", async () => {
  await using world = await openWorld();
  const { view } = await world.send(ann, { ...plain, excludeSelf: true });
  assertEquals(view.publication.event.excludedSessionId, "ann-session");
});

Deno.test("sendMessage() refuses excludeSelf from a request that names no session, and says what to send", async () => {
  await using world = await openWorld();
  const error = await refusal(() => world.send({ ...ann, namesSession: false }, { ...plain, excludeSelf: true }));
  assertEquals(error.code, "BAD_USER_INPUT");
  assertEquals(error.message.includes("x-session-id"), true);
});

Deno.test("sendMessage() measures content and data together, in bytes", async () => {
  await using world = await openWorld();
  await world.send(ann, { ...plain, content: "é".repeat(45), data: "12345678" });
  const error = await refusal(() => world.send(ann, { ...plain, content: "é".repeat(45), data: "123456789" }));
  assertEquals([error.code, error.limit], ["PAYLOAD_TOO_LARGE", 100]);
  assertEquals(error.message, "Cannot send 101 bytes of content and data: at most 100 are allowed");
});

Deno.test("sendMessage() refuses keys and event names that are empty or too long", async () => {
  await using world = await openWorld();
  const wrong = [{ idempotencyKey: "" }, { idempotencyKey: "k".repeat(65) }, { event: "" }, { event: "e".repeat(129) }];
  for (const part of wrong) {
    const error = await refusal(() => world.send(ann, { ...plain, ...part }));
    assertEquals(error.code, "BAD_USER_INPUT");
  }
  assertEquals((await world.log.top("messages:lobby")).offset, 0);
});

interface SendWorld extends AsyncDisposable {
  readonly log: StreamLog;
  send(caller: Caller, request: MessageRequest): Promise<SentMessage>;
}

async function openWorld(): Promise<SendWorld> {
  const world: MemoryWorld = await openMemoryWorld();
  const { log } = world.nodes[0];
  return {
    log,
    send: (caller, request) =>
      sendMessage(caller, request, { log, everyonePosition: () => everyoneTop, maxMessageBytes: 100 }),
    [Symbol.asyncDispose]: () => world.close(),
  };
}

function callerOf(userId: string): Caller {
  return {
    principal: { userId, scopes: new Set(), expiresAtMs: null },
    sessionId: `${userId}-session`,
    namesSession: true,
    session: undefined,
  };
}

function refusal(call: () => Promise<unknown>): Promise<RealtimeError> {
  return assertRejects(call, RealtimeError);
}
