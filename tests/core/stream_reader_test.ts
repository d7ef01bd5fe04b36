import { assertEquals, assertRejects } from "@std/assert";
import type { StreamEntry } from "../../src/core/engine.ts";
import { StreamReader } from "../../src/core/stream_reader.ts";
import { eventLoopTurn } from "../support/event_loop.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import { entriesFrom, entryAt, pageOf, positionAt, ScriptedLog } from "../support/scripted_log.ts";

const LOBBY = "messages:lobby";

Deno.test("StreamReader delivers what comes, and its position goes along", async () => {
  const { log, reader, told } = await openReader();
  log.deliver(LOBBY, ...entriesFrom(1, 3));
  assertEquals([told, reader.position], [["1", "2", "3"], positionAt(3)]);
});

Deno.test("StreamReader delivers what came before its subscription was confirmed, after the start alone", async () => {
  const { log, reader, told } = createReader();
  log.start = positionAt(1);
  const opening = reader.open();
  log.deliver(LOBBY, ...entriesFrom(1, 3));
  const before = [...told];
  await opening;
  assertEquals([before, told], [[], ["2", "3"]]);
});

Deno.test("G3 StreamReader drops what is repeated", async () => {
  const { log, told } = await openReader();
  log.deliver(LOBBY, entryAt(1), entryAt(1), entryAt(2), entryAt(1), entryAt(2), entryAt(3));
  assertEquals([told, log.reads], [["1", "2", "3"], []]);
});

Deno.test("G2 StreamReader fills a hole from history, in order, before anything later", async () => {
  const { log, told } = await openReader();
  log.answer(pageOf(entriesFrom(2, 3), null, positionAt(4)), pageOf([entryAt(4)]));
  log.deliver(LOBBY, entryAt(1), entryAt(4), entryAt(5));
  await eventLoopTurn();
  log.deliver(LOBBY, entryAt(6));
  assertEquals(told, ["1", "2", "3", "4", "5", "6"]);
  assertEquals(log.reads.map(({ after }) => after), [positionAt(1), positionAt(3)]);
});

Deno.test("G2 StreamReader fills a second hole behind the first", async () => {
  const { log, told } = await openReader();
  log.answer(pageOf(entriesFrom(1, 2)), pageOf(entriesFrom(3, 4)));
  log.deliver(LOBBY, entryAt(2), entryAt(4), entryAt(5));
  await eventLoopTurn();
  assertEquals(told, ["1", "2", "3", "4", "5"]);
});

Deno.test("G2 StreamReader says gap when history does not reach back", async () => {
  const { log, told } = await openReader();
  log.answer(pageOf(entriesFrom(5, 6), "TRIMMED"));
  log.deliver(LOBBY, entryAt(1), entryAt(6), entryAt(7));
  await eventLoopTurn();
  assertEquals(told, ["1", "gap", "5", "6", "7"]);
});

Deno.test("G2 StreamReader says gap and goes on in the new log when the old one was lost", async () => {
  const { log, told } = await openReader();
  const life = { epoch: "e2" };
  log.answer(pageOf(entriesFrom(1, 2, life), "EPOCH"));
  log.deliver(LOBBY, ...entriesFrom(1, 3), entryAt(2, life), entryAt(3, life));
  await eventLoopTurn();
  assertEquals(told, ["1", "2", "3", "gap", "1", "2", "3"]);
});

Deno.test("G2 StreamReader says gap and goes on from the top when nothing was kept", async () => {
  const { log, reader, told } = await openReader();
  log.answer(pageOf([], "TRIMMED", positionAt(9)));
  log.deliver(LOBBY, entryAt(9));
  await eventLoopTurn();
  log.deliver(LOBBY, entryAt(10));
  assertEquals([told, reader.position], [["gap", "10"], positionAt(10)]);
});

Deno.test("G3 StreamReader repeats nothing after a fork, however many pages were kept from before it", async () => {
  const { log, told } = await openReader();
  const forked = { ...entryAt(4, { forkedUs: 500 }), previousTimeUs: positionAt(2).timeUs };
  const top = forked.position;
  log.deliver(LOBBY, ...entriesFrom(1, 3));
  log.answer(pageOf([entryAt(1)], "LOST", top), pageOf([entryAt(2)], null, top), pageOf([forked]));
  log.deliver(LOBBY, forked);
  await eventLoopTurn();
  assertEquals(told, ["1", "2", "3", "gap", "4"]);
});

Deno.test("G2 StreamReader sees a fork at the offset it has by the time", async () => {
  const { log, told } = await openReader();
  const forked = { ...entryAt(2, { forkedUs: 500 }), previousTimeUs: positionAt(1).timeUs };
  log.deliver(LOBBY, ...entriesFrom(1, 2));
  log.answer(pageOf([entryAt(1), forked], "LOST"));
  log.deliver(LOBBY, forked);
  await eventLoopTurn();
  assertEquals(told, ["1", "2", "gap", "2"]);
});

Deno.test("G2 StreamReader reads again what was too much to hold", async () => {
  const { log, told } = await openReader();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const read = log.read.bind(log);
  log.read = (stream, range) => gate.then(() => read(stream, range));
  log.answer(pageOf(entriesFrom(1, 2)), pageOf(entriesFrom(3, 1_500)));
  log.deliver(LOBBY, ...entriesFrom(2, 1_500));
  open();
  await eventLoopTurn();
  assertEquals(told, entriesFrom(1, 1_500).map((entry) => entry.text));
});

Deno.test("StreamReader tries again when history cannot be read, later each time", async () => {
  const { clock, log, telemetry, told } = await openReader();
  log.answer(new Error("down"), new Error("down"), pageOf(entriesFrom(1, 2)));
  log.deliver(LOBBY, entryAt(2));
  for (const waitMs of [0, 50, 99]) await advance(clock, waitMs);
  const before = [log.reads.length, [...told]];
  await advance(clock, 1);
  assertEquals([before, told], [[2, []], ["1", "2"]]);
  assertEquals(telemetry.events, ["stream.hole", "stream.heal_failed", "stream.heal_failed"]);
});

Deno.test("StreamReader waits with the next try when history does not have what is missing", async () => {
  const { clock, log, told } = await openReader();
  log.answer(pageOf([]), pageOf([]), pageOf(entriesFrom(1, 3)));
  log.deliver(LOBBY, entryAt(3));
  await eventLoopTurn();
  const atOnce = log.reads.length;
  for (const waitMs of [1_000, 1_000]) await advance(clock, waitMs);
  assertEquals([atOnce, log.reads.length, told, clock.pending], [1, 3, ["1", "2", "3"], 0]);
});

Deno.test("G2 StreamReader says gap for an entry that cannot be read, and goes on", async () => {
  const { log, telemetry, told } = await openReader();
  log.deliver(LOBBY, { ...entryAt(1), text: "unreadable" }, entryAt(2));
  assertEquals([told, telemetry.events], [["gap", "2"], ["stream.entry_failed"]]);
});

Deno.test("StreamReader hands on what is not kept in its turn, and its place stays", async () => {
  const { log, reader, told } = await openReader();
  log.deliver(LOBBY, entryAt(1), transientAt(1, "a"), transientAt(1, "b"));
  const { position } = reader;
  log.deliver(LOBBY, entryAt(2), transientAt(2, "c"));
  assertEquals([told, position, log.reads], [["1", "a", "b", "2", "c"], positionAt(1), []]);
});

Deno.test("G2 StreamReader hands on what is not kept after the hole before it, and sees the holes behind it", async () => {
  const { log, told } = await openReader();
  log.answer(pageOf(entriesFrom(1, 2)), pageOf(entriesFrom(3, 4)));
  log.deliver(LOBBY, entryAt(2), transientAt(2, "a"), entryAt(4), transientAt(4, "b"));
  await eventLoopTurn();
  assertEquals(told, ["1", "2", "a", "3", "4", "b"]);
});

Deno.test("StreamReader takes what is not kept for no sign of a hole", async () => {
  const { log, reader, told } = await openReader();
  log.deliver(LOBBY, transientAt(3, "a"));
  log.answer(pageOf(entriesFrom(1, 4)));
  log.deliver(LOBBY, entryAt(4));
  await eventLoopTurn();
  assertEquals([told, reader.position], [["a", "1", "2", "3", "4"], positionAt(4)]);
});

Deno.test("G9 StreamReader closed while it fills a hole delivers nothing more and leaves no timer", async () => {
  const { clock, log, reader, told } = await openReader();
  log.answer(new Error("down"));
  log.deliver(LOBBY, entryAt(2));
  await eventLoopTurn();
  reader.close();
  reader.close();
  assertEquals([clock.pending, log.subscriptionCount, told], [0, 0, []]);
});

Deno.test("G9 StreamReader closed before it was open leaves no subscription", async () => {
  const { log, reader, told } = createReader();
  const opening = reader.open();
  reader.close();
  await opening;
  log.deliver(LOBBY, entryAt(1));
  assertEquals([log.subscriptionCount, told], [0, []]);
});

Deno.test("StreamReader does not open when the log refuses", async () => {
  const { log, reader } = createReader();
  log.gate = Promise.reject(new Error("down"));
  await assertRejects(() => reader.open(), Error, "down");
});

/** What is delivered behind an entry without being kept. */
function transientAt(offset: number, text: string): StreamEntry {
  return { ...entryAt(offset), previousTimeUs: positionAt(offset).timeUs, text, transient: true };
}

function createReader() {
  const log = new ScriptedLog();
  const clock = new ManualClock();
  const telemetry = new RecordingTelemetry();
  const told: string[] = [];
  const sink = {
    deliver({ text }: StreamEntry): void {
      if (text === "unreadable") throw new SyntaxError(text);
      told.push(text);
    },
    gap: () => void told.push("gap"),
  };
  return { log, clock, telemetry, told, reader: new StreamReader(LOBBY, sink, { log, clock, telemetry }) };
}

async function openReader(): Promise<ReturnType<typeof createReader>> {
  const world = createReader();
  await world.reader.open();
  return world;
}

async function advance(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await eventLoopTurn();
}
