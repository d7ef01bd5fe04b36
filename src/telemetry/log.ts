import { getAnsiColorFormatter, getJsonLinesFormatter, getTextFormatter, type LogRecord } from "@logtape/logtape";
import { type Clock, systemClock } from "../core/clock.ts";
import { LOG_LEVELS, type LogFields, type LogLevel, type Telemetry } from "../core/telemetry.ts";

/** How a log line looks: for people, or one JSON object for programs. */
export const LOG_FORMATS = ["pretty", "json"] as const;

/** A format of {@linkcode LOG_FORMATS}. */
export type LogFormat = typeof LOG_FORMATS[number];

/** What to write of what happens, how, and where. */
export interface LogOptions {
  /** The least level written. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one whole line, its line feed included. A throw is ignored. */
  readonly write: (line: string) => void;
  /** Whether pretty lines have the colors of a terminal. @default false */
  readonly colors?: boolean;
  /** Tells the time of each line. @default the machine's clock */
  readonly clock?: Pick<Clock, "now">;
  /** Fields of every line; those of a record come after and win. @default none */
  readonly fields?: LogFields;
}

const CATEGORY = ["graphql-rooms"];
const LOGTAPE_LEVELS = { debug: "debug", info: "info", warn: "warning", error: "error" } as const;
/** Texts that need no quotes: nothing in them ends a word, begins another or moves a cursor. */
const PLAIN_WORD = /^[\w.:/@+-]+$/;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** As much of one value as is written: some are a peer's, and as long as it likes. A stack fits. */
const MAX_VALUE_CHARACTERS = 2_000;

/**
 * A log of one line per event.
 *
 * Only LogTape's formatters are used. Its loggers live in one configuration per
 * process, and two servers in one process may want two logs.
 */
export function createLog(options: LogOptions): Telemetry {
  const { write, clock = systemClock, fields: common = {} } = options;
  const least = LOG_LEVELS.indexOf(options.level);
  const format = options.format === "json" ? createJsonFormatter() : createPrettyFormatter(options.colors ?? false);
  const keeps = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= least;
  return {
    keeps,
    record(level, event, fields = {}) {
      if (!keeps(level)) return;
      try {
        write(format(level, event, { at: clock.now(), fields: shorten({ ...common, ...fields }) }));
      } catch {
        // A log that cannot be written has nobody left to tell, and must not stop what it tells of.
      }
    },
  };
}

interface Occurrence {
  readonly at: number;
  readonly fields: LogFields;
}

type FormatLine = (level: LogLevel, event: string, occurrence: Occurrence) => string;

/** `{"@timestamp", "level", "message", "logger", "event", "fields"}`: log viewers show the key `message`. */
function createJsonFormatter(): FormatLine {
  const format = getJsonLinesFormatter({ properties: "flatten" });
  return (level, event, { at, fields }) => {
    const line = format(toRecord(level, at, { message: [event], properties: { event, fields } }));
    return escape(line.slice(0, -1), jsonEscape) + "\n";
  };
}

/** `10:41:46.123 INFO  connection.closed userId=ann code=1000` */
function createPrettyFormatter(colors: boolean): FormatLine {
  const create = colors ? getAnsiColorFormatter : getTextFormatter;
  const format = create({
    timestamp: "time",
    level: (level) => (level === "warning" ? "WARN" : level.toUpperCase()).padEnd(5),
    format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
  });
  return (level, event, { at, fields }) => {
    const words = [quote(event)];
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) words.push(`${quote(name)}=${quote(String(value))}`);
    }
    return format(toRecord(level, at, { message: [words.join(" ")] }));
  };
}

/** One word, whatever the text: another's text must not pass for a line or a field of ours. */
function quote(text: string): string {
  if (PLAIN_WORD.test(text)) return text;
  return escape(JSON.stringify(text), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** What may end a line or reorder it for some reader, and JSON lets through. */
function escape(json: string, escapeOne: (character: string) => string): string {
  return json.replace(UNPRINTABLE, escapeOne);
}

/** `\uXXXX` for each unit of UTF-16, as JSON wants it. */
function jsonEscape(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}

function shorten(fields: LogFields): LogFields {
  let shortened: Record<string, LogFields[string]> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== "string" || value.length <= MAX_VALUE_CHARACTERS) continue;
    shortened ??= { ...fields };
    shortened[name] = `${value.slice(0, MAX_VALUE_CHARACTERS)}…`;
  }
  return shortened ?? fields;
}

function toRecord(
  level: LogLevel,
  timestamp: number,
  { message, properties = {} }: { message: readonly unknown[]; properties?: Record<string, unknown> },
): LogRecord {
  return { category: CATEGORY, level: LOGTAPE_LEVELS[level], message, rawMessage: "", timestamp, properties };
}
