import { assert, assertEquals, assertMatch } from "@std/assert";
import type { LogFields } from "../../src/core/telemetry.ts";
import { createLog, type LogFormat, type LogOptions } from "../../src/telemetry/log.ts";

const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const HOSTILE = 'a\n2026 ERROR forged\r\u001b[2Jb\u0000\u009b31m\u2028\u202e\t\u007f"\\';

function openLog(format: LogFormat, options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format,
    write: (line) => lines.push(line),
    clock: { now: () => AT_MS },
    ...options,
  });
  return { log, lines };
}

Deno.test("createLog() writes one JSON object per line, with time, level, event and fields", () => {
  const { log, lines } = openLog("json");

  log.record("warn", "connection.closed", { userId: "ann", code: 1013, clean: false, reason: null, left: undefined });

  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /^[^\n]*\n$/);
  assertEquals(JSON.parse(lines[0]!), {
    "@timestamp": "2026-01-02T03:04:05.678Z",
    level: "WARN",
    message: "connection.closed",
    logger: "graphql-rooms",
    event: "connection.closed",
    fields: { userId: "ann", code: 1013, clean: false, reason: null },
  });
});

Deno.test("createLog() keeps fields named like the line's own keys apart from them", () => {
  const { log, lines } = openLog("json");

  log.record("info", "real", { event: "forged", level: "ERROR", message: "forged", "@timestamp": "0" });

  const line = JSON.parse(lines[0]!);
  assertEquals([line.event, line.level, line.message, line.fields.event], ["real", "INFO", "real", "forged"]);
});

Deno.test("createLog() writes of a value what can be read, and JSON gives back what it was", () => {
  const { log, lines } = openLog("json");

  log.record("info", "odd", { hostile: HOSTILE, tag: "\u{e0041}", half: "\ud800", long: "x".repeat(1_000_000) });

  const { fields } = JSON.parse(lines[0]!);
  assertEquals([fields.hostile, fields.tag, fields.half], [HOSTILE, "\u{e0041}", "\ud800"]);
  assertEquals(fields.long, `${"x".repeat(2_000)}…`);
});

Deno.test("createLog() writes short pretty lines", () => {
  const { log, lines } = openLog("pretty");

  log.record("info", "connection.opened", { userId: "ann", transport: "websocket", gone: undefined, tries: 2 });
  log.record("error", "drain.failed");

  assertEquals(lines, [
    "03:04:05.678 INFO  connection.opened userId=ann transport=websocket tries=2\n",
    "03:04:05.678 ERROR drain.failed\n",
  ]);
});

Deno.test("createLog() quotes pretty values that could pass for more than one", () => {
  const { log, lines } = openLog("pretty");

  log.record("info", "refused", { reason: "no room", userId: "a code=1", empty: "", quoted: '"' });

  assertEquals(lines, ['03:04:05.678 INFO  refused reason="no room" userId="a code=1" empty="" quoted="\\""\n']);
});

for (const format of ["pretty", "json"] as const) {
  Deno.test(`createLog() leaves no control character of a value, name or event in a ${format} line`, () => {
    const { log, lines } = openLog(format);

    log.record("info", HOSTILE, { userId: HOSTILE, [HOSTILE]: 1 });

    assertEquals(lines.length, 1);
    assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(lines[0]!.slice(0, -1)), JSON.stringify(lines[0]));
    assert(lines[0]!.endsWith("\n"));
  });

  Deno.test(`createLog() writes nothing below its level in ${format}`, () => {
    const { log, lines } = openLog(format, { level: "warn" });

    for (const level of ["debug", "info", "warn", "error"] as const) log.record(level, level);

    assertEquals(lines.length, 2);
  });

  Deno.test(`createLog() adds the common fields to each ${format} line, the record's winning`, () => {
    const { log, lines } = openLog(format, { fields: { node: "n1", zone: "a" } });

    log.record("info", "started", { zone: "b" });

    assert(lines[0]!.includes("n1"));
    assertMatch(lines[0]!, /zone(=|":")b/);
  });

  Deno.test(`createLog() never throws in ${format}, whatever it is handed`, () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const hostile = { circular, big: 1n, thrower: { toString: fail, toJSON: fail }, symbol: Symbol("s") };

    openLog(format).log.record("info", "odd", hostile as unknown as LogFields);
    openLog(format, { write: fail }).log.record("info", "unwritable");
    openLog(format, { clock: { now: () => NaN } }).log.record("info", "timeless");
  });
}

Deno.test("createLog() colors time and level of a pretty line when asked, and only them", () => {
  const { log, lines } = openLog("pretty", { colors: true });

  log.record("error", "odd", { value: "\u001b[31mred" });

  const [line] = lines;
  assertMatch(
    line!,
    // deno-lint-ignore no-control-regex -- colors are control characters
    /^\u001b\[2m03:04:05\.678\u001b\[0m \u001b\[1m\u001b\[31mERROR\u001b\[0m odd value="[^\u001b]*"\n$/,
  );
});

Deno.test("createLog() keeps two logs in one process apart", () => {
  const pretty = openLog("pretty", { level: "error" });
  const json = openLog("json", { level: "debug" });

  json.log.record("debug", "one");
  pretty.log.record("debug", "two");

  assertEquals([pretty.lines.length, json.lines.length], [0, 1]);
});

function fail(): never {
  throw new Error("must not come out");
}
