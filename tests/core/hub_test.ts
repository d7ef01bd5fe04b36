import { assertEquals, assertRejects } from "@std/assert";
import { formatCursor, parseCursor } from "../../src/core/cursor.ts";
import { RealtimeError } from "../../src/core/errors.ts";
import { encodeEvent } from "../../src/core/event.ts";
import { eventsFeed, everyoneFeed, messagesFeed } from "../../src/core/feed.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { type FeedReader, Hub } from "../../src/core/hub.ts";
import type { Presence } from "../../src/core/presence.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { EVERYONE, type Stream } from "../../src/core/stream.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type MemoryWorld, openMemoryWorld } from "../support/memory_world.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import { entryAt, pageOf, positionAt, ScriptedLog } from "../support/scripted_log.ts";

const lobby = parseRoomName("lobby");
const LOBBY = "messages:lobby";
const feed = messagesFeed(lobby);

Deno.test("G1 all readers of a room on all nodes see its messages and those to everyone in one order", async () => {
  await using world = await openWorld();
  const readers = [new NotingReader(), new NotingReader(), new NotingReader()];
  await world.hubs[0].attach(feed, readers[0]!);
  for (const reader of readers.slice(1)) await world.hubs[1].attach(feed, reader);
  for (const [stream, text] of [[LOBBY, "a"], [EVERYONE, "b"], [LOBBY, "c"]] as const) await world.say(stream, text);
  for (const reader of readers) assertEquals(reader.told, ["a", "b", "c"]);
});

Deno.test("G5 each delivery's cursor is the pair of all that has been delivered", async () => {
  await using world = await openWorld();
  const reader = new NotingReader();
  const { position } = await world.hubs[0].attach(feed, reader);
  for (const stream of [LOBBY, EVERYONE, LOBBY] as const) await world.say(stream, "x");
  assertEquals(position.map(({ offset }) => offset), [0, 0]);
  assertEquals(reader.deliveries.map(({ position }) => position.map(({ offset }) => offset)), [[1, 0], [1, 1], [2, 1]]);
  for (const { cursor, position } of reader.deliveries) {
    assertEquals(cursor, formatCursor(feed, position));
    assertEquals(parseCursor(feed, cursor), position);
  }
});

Deno.test("G5 a state, which is not kept, is delivered with the cursor of what came before it", async () => {
  await using world = await openWorld();
  const reader = new NotingReader();
  await world.hubs[1].attach(eventsFeed(lobby), reader);
  const member = { userId: "ann", joinedAtMs: 1, sessionCount: 1, state: "1", leasedUntilMs: null };
  const beginning = {
    event: encodeEvent({ kind: "joined", userId: "ann", sessionCount: 1, state: null }),
    state: null,
  };
  await world.presence.enter(lobby, "ann", { sessionCount: 1 }, beginning);
  const change = { event: encodeEvent({ kind: "updated", member }) };
  await world.presence.setState(lobby, "ann", { json: "1", setBy: null }, change);
  const [joined, updated] = reader.deliveries;
  assertEquals([updated?.publication.event, updated?.publication.transient], [{ kind: "updated", member }, true]);
  assertEquals([updated?.cursor, updated?.position], [joined?.cursor, joined?.position]);
});

Deno.test("a message to everyone reaches every feed of messages once, and no feed of events", async () => {
  await using world = await openWorld();
  const feeds = [feed, messagesFeed(parseRoomName("other")), everyoneFeed(), eventsFeed(lobby)];
  const readers = feeds.map(() => new NotingReader());
  for (const [at, one] of feeds.entries()) await world.hubs[0].attach(one, readers[at]!);
  await world.say(EVERYONE, "hello");
  assertEquals(readers.map(({ told }) => told), [["hello"], ["hello"], ["hello"], []]);
});

Deno.test("a reader gets nothing from before it was attached, and a message is delivered to all readers as one", async () => {
  await using world = await openWorld();
  const [early, late] = [new NotingReader(), new NotingReader()];
  await world.hubs[0].attach(feed, early);
  await world.say(LOBBY, "a");
  const { position } = await world.hubs[0].attach(feed, late);
  await world.say(LOBBY, "b");
  assertEquals([position[0]?.offset, late.told], [1, ["b"]]);
  assertEquals(early.deliveries[1] === late.deliveries[0], true);
});

Deno.test("G9 one engine subscription serves all readers of a stream and ends with the last", async () => {
  await using world = await openWorld();
  const before = world.core.subscriptionCount;
  const [hub] = world.hubs;
  const attachments = await Promise.all([1, 2, 3].map(() => hub.attach(feed, new NotingReader())));
  const during = world.core.subscriptionCount;
  attachments[0]!.detach();
  attachments[0]!.detach();
  attachments[1]!.detach();
  const almost = [world.core.subscriptionCount, hub.openFeeds];
  attachments[2]!.detach();
  assertEquals([during - before, almost, world.core.subscriptionCount - before, hub.openFeeds], [
    1,
    [before + 1, 1],
    0,
    0,
  ]);
});

Deno.test("a reader attached twice is two readers", async () => {
  await using world = await openWorld();
  const reader = new NotingReader();
  const first = await world.hubs[0].attach(feed, reader);
  await world.hubs[0].attach(feed, reader);
  await world.say(LOBBY, "a");
  first.detach();
  await world.say(LOBBY, "b");
  assertEquals(reader.told, ["a", "a", "b"]);
});

Deno.test("a reader detached by another during a delivery is not called any more", async () => {
  await using world = await openWorld();
  const second = new NotingReader();
  await world.hubs[0].attach(feed, { deliver: () => attachment.detach(), gap() {} });
  const attachment = await world.hubs[0].attach(feed, second);
  await world.say(LOBBY, "a");
  assertEquals(second.told, []);
});

Deno.test("G4 a reader that throws is logged and harms nobody else", async () => {
  await using world = await openWorld();
  const other = new NotingReader();
  const fails = (): never => {
    throw new Error("reader");
  };
  await world.hubs[0].attach(feed, { deliver: fails, gap: fails });
  await world.hubs[0].attach(feed, other);
  for (const text of ["a", "b"]) await world.say(LOBBY, text);
  assertEquals([other.told, world.telemetry.events], [["a", "b"], ["hub.reader_failed", "hub.reader_failed"]]);
});

Deno.test("G9 attaching to a stream that cannot be opened leaves nothing, and can be tried again", async () => {
  const { hub, log } = await openScriptedHub();
  log.gate = Promise.reject(new Error("down"));
  const results = await Promise.allSettled([1, 2].map(() => hub.attach(feed, new NotingReader())));
  const after = hub.openFeeds;
  log.gate = undefined;
  await hub.attach(feed, new NotingReader());
  assertEquals([results.map(({ status }) => status), after, hub.openFeeds], [["rejected", "rejected"], 0, 1]);
  hub.close();
});

Deno.test("G2 a gap in the messages to everyone is told to feeds of messages alone", async () => {
  const { hub, log } = await openScriptedHub();
  const feeds = [feed, everyoneFeed(), eventsFeed(lobby)];
  const readers = feeds.map(() => new NotingReader());
  for (const [at, one] of feeds.entries()) await hub.attach(one, readers[at]!);
  log.answer(pageOf([], "TRIMMED", positionAt(5)));
  log.deliver(EVERYONE, entryAt(5));
  await eventLoopTurn();
  assertEquals(readers.map(({ told }) => told), [["gap"], ["gap"], []]);
  hub.close();
});

Deno.test("G2 a gap in a room's stream is told to that room's readers alone", async () => {
  const { hub, log } = await openScriptedHub();
  const [here, there] = [new NotingReader(), new NotingReader()];
  await hub.attach(feed, here);
  await hub.attach(messagesFeed(parseRoomName("other")), there);
  log.answer(pageOf([], "TRIMMED", positionAt(5)));
  log.deliver(LOBBY, entryAt(5));
  await eventLoopTurn();
  assertEquals([here.told, there.told], [["gap"], []]);
  hub.close();
});

Deno.test("G9 a closed hub has no subscription, delivers nothing and takes no reader", async () => {
  const { hub, log } = await openScriptedHub();
  const reader = new NotingReader();
  const attachment = await hub.attach(feed, reader);
  hub.close();
  attachment.detach();
  const error = await assertRejects(() => hub.attach(feed, reader), RealtimeError);
  assertEquals([log.subscriptionCount, hub.openFeeds, error.code], [0, 0, "SHUTTING_DOWN"]);
});

Deno.test("G9 a hub closed while a reader attaches refuses it and leaves no subscription", async () => {
  const { hub, log } = await openScriptedHub();
  const attaching = hub.attach(feed, new NotingReader());
  hub.close();
  const error = await assertRejects(() => attaching, RealtimeError);
  assertEquals([log.subscriptionCount, error.code], [0, "SHUTTING_DOWN"]);
});

class NotingReader implements FeedReader {
  readonly deliveries: Delivery[] = [];
  /** The contents, and `gap` where something was lost. */
  readonly told: string[] = [];

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery);
    const { event } = delivery.publication;
    this.told.push(event.kind === "message" ? event.content : event.kind);
  }

  gap(): void {
    this.told.push("gap");
  }
}

interface HubWorld extends AsyncDisposable {
  readonly core: MemoryWorld["core"];
  readonly hubs: readonly [Hub, Hub];
  readonly presence: Presence;
  readonly telemetry: RecordingTelemetry;
  say(stream: Stream, content: string): Promise<void>;
}

async function openWorld(): Promise<HubWorld> {
  const world = await openMemoryWorld();
  const telemetry = new RecordingTelemetry();
  const [one, two] = world.nodes.map(({ log }) => new Hub({ log, clock: world.clock, telemetry })) as [Hub, Hub];
  for (const hub of [one, two]) await hub.open();
  return {
    core: world.core,
    hubs: [one, two],
    presence: world.nodes[0].presence,
    telemetry,
    async say(stream, content) {
      await world.nodes[0].log.publish(
        stream,
        encodeEvent({
          kind: "message",
          senderId: "ann",
          content,
          event: null,
          data: null,
          idempotencyKey: null,
          excludedSessionId: null,
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const hub of [one, two]) hub.close();
      await world.close();
    },
  };
}

async function openScriptedHub(): Promise<{ hub: Hub; log: ScriptedLog }> {
  const log = new ScriptedLog();
  const hub = new Hub({ log, clock: new ManualClock(), telemetry: new RecordingTelemetry() });
  await hub.open();
  return { hub, log };
}
