import type { LogFields, LogLevel, Telemetry } from "../../src/core/telemetry.ts";
import { awaited } from "./patience.ts";

/** Keeps what it is told. */
export class RecordingTelemetry implements Telemetry {
  readonly records: { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[] = [];

  readonly #waiting = new Set<() => void>();

  /** The names of what happened, in order. */
  get events(): string[] {
    return this.records.map((record) => record.event);
  }

  record(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.records.push({ level, event, fields });
    for (const look of this.#waiting) look();
  }

  /** Resolves once this has happened so often. */
  async until(event: string, count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.records.filter((record) => record.event === event).length >= count) resolve();
    };
    this.#waiting.add(look);
    look();
    await awaited(promise, () => `${count} of ${event}`).finally(() => this.#waiting.delete(look));
  }
}
