import { assertEquals, assertLess } from "@std/assert";
import { createSampled } from "../../src/telemetry/sampled.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

const BURST = 100;
const A_SECOND = 10;
/** An event may have so many times as many lines over all its causes. */
const CAUSES = 5;
const REPORT_MS = 10_000;

function open() {
  const clock = new ManualClock();
  const kept = new RecordingTelemetry();
  return { clock, kept, log: createSampled(kept, clock) };
}

Deno.test("createSampled() passes on what does not happen again and again", () => {
  const { kept, log, clock } = open();

  for (let count = 0; count < BURST; count++) log.record("info", "a", { count });
  clock.advance(10 * REPORT_MS);

  assertEquals(kept.records.map(({ fields }) => fields["count"]), Array.from({ length: BURST }, (_, at) => at));
});

Deno.test("createSampled() leaves out a flood, and says in one line how much of what", () => {
  const { clock, kept, log } = open();

  for (let count = 0; count < 1_000; count++) log.record("warn", "refused", { code: "FORBIDDEN", status: 403 });
  log.record("warn", "refused", { code: "BAD_USER_INPUT", status: 415 });
  log.record("error", "odd", { error: "Error: once\n  at a.ts" });
  clock.advance(REPORT_MS);
  for (let count = 0; count < 1_000; count++) log.record("warn", "refused", { code: "FORBIDDEN", status: 403 });
  clock.advance(10 * REPORT_MS);

  const others = kept.records.filter(({ fields }) => fields["status"] !== 403);
  assertEquals(others.map(({ event, fields }) => [event, fields]), [
    ["refused", { code: "BAD_USER_INPUT", status: 415 }],
    ["odd", { error: "Error: once\n  at a.ts" }],
    ["log.left_out", { of: "refused", cause: "FORBIDDEN 403", lines: 1_000 - BURST }],
    ["log.left_out", { of: "refused", cause: "FORBIDDEN 403", lines: 1_000 - BURST }],
  ]);
  assertEquals(clock.pending, 0);
});

Deno.test("createSampled() passes on so many lines of one cause a second in the long run", () => {
  const { clock, kept, log } = open();
  const seconds = 60;

  for (let passed = 0; passed < seconds * 100; passed++) {
    log.record("info", "connection.closed", { code: 1000 });
    clock.advance(10);
  }

  const written = kept.events.filter((event) => event === "connection.closed").length;
  assertLess(Math.abs(written - BURST - seconds * A_SECOND), 2);
});

for (
  const [what, fieldsOf] of [
    ["a reason", (made: number) => ({ reason: `peer says ${made}` })],
    ["an error's message", (made: number) => ({ error: `Error: ${made}\n    at a.ts:1:${made}` })],
    ["a code and a reason", (made: number) => ({ code: "BAD_USER_INPUT", status: 415, reason: `evil/${made}` })],
  ] as const
) {
  // As many as could each have had a budget, and more than anybody could remember.
  for (const different of [250, 100_000]) {
    Deno.test(`createSampled() is not talked into more lines by ${different} variants of ${what}`, () => {
      const { clock, kept, log } = open();
      const seconds = 20;

      for (let count = 0; count < seconds * 2_000; count++) {
        log.record("info", "refused", fieldsOf(count % different));
        if (count % 2 === 1) clock.advance(1);
      }

      const written = kept.events.filter((event) => event === "refused").length;
      assertLess(Math.abs(written - BURST - seconds * A_SECOND), 2);
    });
  }
}

Deno.test("createSampled() bounds an event over all its causes: a peer may close with any of 2,000 codes", () => {
  const { clock, kept, log } = open();
  const seconds = 20;

  for (let count = 0; count < seconds * 2_000; count++) {
    log.record("info", "connection.closed", { code: 3_000 + count % 2_000 });
    if (count % 2 === 1) clock.advance(1);
  }
  log.record("info", "connection.opened", {});

  const written = kept.events.filter((event) => event === "connection.closed").length;
  assertLess(written, CAUSES * (BURST + seconds * A_SECOND) + 2);
  assertEquals(kept.events.at(-1), "connection.opened");
  clock.advance(10 * REPORT_MS);
  const leftOut = kept.records.filter(({ event }) => event === "log.left_out");
  const lines = leftOut.reduce((sum, { fields }) => sum + Number(fields["lines"]), 0);
  assertEquals(lines, seconds * 2_000 - written);
  // What says how much was left out is itself no flood.
  assertLess(leftOut.length, 20 * (seconds * 1_000 / REPORT_MS + 1));
});

Deno.test("createSampled() lets one cause of an event take nothing from its others", () => {
  const { kept, log } = open();

  for (let count = 0; count < 10_000; count++) log.record("warn", "refused", { code: "FORBIDDEN" });
  for (let count = 0; count < BURST; count++) log.record("warn", "refused", { code: "RATE_LIMITED" });

  assertEquals(kept.records.filter(({ fields }) => fields["code"] === "RATE_LIMITED").length, BURST);
});

Deno.test("createSampled() is not confused by a clock that is set back", () => {
  const { clock, kept, log } = open();
  for (let count = 0; count < 2 * BURST; count++) log.record("info", "a");

  clock.jump(-3_600_000);
  log.record("info", "a");
  clock.advance(1_000);
  log.record("info", "a");

  assertEquals(kept.records.length, BURST + 1);
});

Deno.test("createSampled() keeps what the log keeps", () => {
  const { keeps } = createSampled({ record() {}, keeps: (level) => level === "error" }, new ManualClock());

  assertEquals([keeps?.("info"), keeps?.("error")], [false, true]);
});
