import { assertEquals } from "@std/assert";
import { Backlog, type BacklogPage } from "../../src/core/backlog.ts";
import { formatCursor } from "../../src/core/cursor.ts";
import type { StreamEntry } from "../../src/core/engine.ts";
import { encodeEvent } from "../../src/core/event.ts";
import { type FeedPosition, messagesFeed } from "../../src/core/feed.ts";
import { parseRoomName } from "../../src/core/room_name.ts";
import { entriesFrom, pageOf, positionAt, ScriptedLog } from "../support/scripted_log.ts";

const feed = messagesFeed(parseRoomName("lobby"));

Deno.test("G5 a reader ahead of its node stays where it is, whether or not the engine has more", async () => {
  for (const newer of [said(6, 8), []]) {
    const { backlog, log } = openBacklog({ from: [5, 0], to: [2, 0] });
    log.answer(pageOf(newer, null, positionAt(5 + newer.length)));

    assertEquals(await backlog.next(), undefined);

    assertEquals([offsets(backlog.position), log.reads.length], [[5, 0], 1]);
  }
});

Deno.test("G5 a reader ahead of its node in one stream gets what it missed of the other, each with the place it has", async () => {
  const { backlog, log } = openBacklog({ from: [5, 1], to: [2, 3] });
  log.answer(pageOf(said(6, 6)), pageOf(said(2, 4)), pageOf(said(6, 6)));

  const page = await backlog.next();
  const end = await backlog.next();

  assertEquals([contents(page), end], [["2", "3"], undefined]);
  assertEquals(page?.deliveries.map(({ cursor }) => cursor), [
    formatCursor(feed, [positionAt(5), positionAt(2)]),
    formatCursor(feed, [positionAt(5), positionAt(3)]),
  ]);
  assertEquals(offsets(backlog.position), [5, 3]);
});

Deno.test("G2 a reader of more than a log that has forked below it is no reader ahead: it gets what it lacks, and hears of the loss", async () => {
  const { backlog, log } = openBacklog({ from: [9, 0], to: [5, 0], forkedUs: 5_500 });
  log.answer(pageOf(said(1, 5, 5_500), "LOST"));

  const page = await backlog.next();

  // The first three are no later than the last that it had.
  assertEquals([page?.gap, contents(page), await backlog.next()], [true, ["4", "5"], undefined]);
  assertEquals(offsets(backlog.position), [5, 0]);
});

Deno.test("G5 what is read ends exactly where the live delivery takes over, though the engine has more", async () => {
  const { backlog, log } = openBacklog({ from: [1, 0], to: [3, 0] });
  log.answer(pageOf(said(2, 6)));

  assertEquals([contents(await backlog.next()), await backlog.next()], [["2", "3"], undefined]);

  assertEquals([offsets(backlog.position), log.reads.length], [[3, 0], 1]);
});

Deno.test("G3 a reader that came further by live delivery reads on from there, and never goes back", async () => {
  const { backlog, log } = openBacklog({ from: [1, 0], to: [1, 0] });
  backlog.advance([positionAt(4), positionAt(2)]);
  backlog.advance([positionAt(3), positionAt(3)]);
  backlog.extend([positionAt(6), positionAt(3)]);
  log.answer(pageOf(said(5, 6)));

  assertEquals(contents(await backlog.next()), ["5", "6"]);

  assertEquals([log.reads.map(({ after }) => after), offsets(backlog.position)], [[positionAt(4)], [6, 3]]);
});

Deno.test("G3 a reader has what is not behind its place in that stream, and nothing of another life of the log", () => {
  const { backlog } = openBacklog({ from: [3, 1], to: [3, 1] });

  assertEquals([2, 3, 4].map((offset) => backlog.holds(0, positionAt(offset))), [true, true, false]);
  assertEquals([1, 2].map((offset) => backlog.holds(1, positionAt(offset))), [true, false]);
  assertEquals(backlog.holds(0, positionAt(1, { epoch: "e2" })), false);
  backlog.advance([positionAt(1, { epoch: "e2" }), positionAt(1)]);
  assertEquals(backlog.position, [positionAt(1, { epoch: "e2" }), positionAt(1)]);
});

Deno.test("G2 a loss that was found before the first page is not told again with it", async () => {
  const { backlog, log } = openBacklog({ from: [1, 0], to: [5, 0] });
  const trimmed = pageOf(said(4, 5), "TRIMMED");
  log.answer(trimmed, trimmed);

  const reaches = await backlog.reachesBack();
  const page = await backlog.next();

  assertEquals([reaches, page?.gap, contents(page)], [false, false, ["4", "5"]]);
});

const offsets = (position: FeedPosition) => position.map(({ offset }) => offset);
const contents = (page: BacklogPage | undefined) =>
  page?.deliveries.map(({ publication: { event } }) => event.kind === "message" ? event.content : event.kind);

interface Places {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly forkedUs?: number;
}

function openBacklog({ from, to, forkedUs = 0 }: Places) {
  const log = new ScriptedLog();
  const at = ([own, everyone]: readonly [number, number], us: number) => [
    positionAt(own, { forkedUs: us }),
    positionAt(everyone),
  ];
  return { log, backlog: new Backlog({ log, feed, from: at(from, 0), to: at(to, forkedUs) }) };
}

/** Entries of messages; the text of each is its offset. */
function said(first: number, last: number, forkedUs = 0): StreamEntry[] {
  return entriesFrom(first, last, { forkedUs }).map((entry) => ({
    ...entry,
    text: encodeEvent({
      kind: "message",
      senderId: "ann",
      content: entry.text,
      event: null,
      data: null,
      idempotencyKey: null,
      excludedSessionId: null,
    }),
  }));
}
