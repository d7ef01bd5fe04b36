/** How much somebody should care, from least to most. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** A level of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** What happened, as flat named values. Never a token, a message's content or a person's data beyond ids. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Where the server says what happens to it.
 *
 * `record` is called from hot and from failing paths alike: it must not throw and
 * must not block. `event` is a stable dotted name (`connection.closed`), one per
 * kind of occurrence; everything that varies goes into `fields`.
 */
export interface Telemetry {
  record(level: LogLevel, event: string, fields?: LogFields): void;
  /** Whether anything of this level is kept: of what is not, the fields need not be found out. Absent: all is. */
  keeps?(level: LogLevel): boolean;
}

/** Keeps nothing: for tests and for programs that want silence. */
export const silentTelemetry: Telemetry = { record() {}, keeps: () => false };

/** The text of anything thrown, for a log field. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.stack ?? `${error.name}: ${error.message}` : String(error);
}
