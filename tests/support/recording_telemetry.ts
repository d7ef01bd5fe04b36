import type { LogFields, LogLevel, Telemetry } from "../../src/core/telemetry.ts";

/** Keeps what it is told. */
export class RecordingTelemetry implements Telemetry {
  readonly records: { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[] = [];

  /** The names of what happened, in order. */
  get events(): string[] {
    return this.records.map((record) => record.event);
  }

  record(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.records.push({ level, event, fields });
  }
}
