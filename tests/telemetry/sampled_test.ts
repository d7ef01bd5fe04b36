import { assertEquals, assertLess } from "@std/assert";
import { createSampled } from "../../src/telemetry/sampled.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

const BURST = 100;
const A_SECOND = 10;
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

  for (let count = 0; count < 1_000; count++) log.record("warn", "refused", { reason: "origin" });
  log.record("warn", "refused", { reason: "host" });
  log.record("error", "odd", { error: "Error: once\n  at a.ts" });
  clock.advance(REPORT_MS);
  for (let count = 0; count < 1_000; count++) log.record("warn", "refused", { reason: "origin" });
  clock.advance(10 * REPORT_MS);

  const others = kept.records.filter(({ fields }) => fields["reason"] !== "origin");
  assertEquals(others.map(({ event, fields }) => [event, fields]), [
    ["refused", { reason: "host" }],
    ["odd", { error: "Error: once\n  at a.ts" }],
    ["log.left_out", { of: "refused", cause: "origin", lines: 1_000 - BURST }],
    ["log.left_out", { of: "refused", cause: "origin", lines: 1_000 - BURST }],
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

Deno.test("createSampled() is not talked into more lines by causes that are made up", () => {
  const { clock, kept, log } = open();

  for (let count = 0; count < 100_000; count++) log.record("info", "closed", { reason: `peer says ${count}` });
  clock.advance(REPORT_MS);

  assertLess(kept.records.length, 1_000);
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
