import { describeError, type Telemetry } from "./core/telemetry.ts";

/** What is told of errors that nobody caught. */
export interface LastResortDeps {
  readonly telemetry: Telemetry;
  /** Called for each of them, with how many there have been: what runs may not be in order any more. */
  readonly onUnhandled: (count: number) => void;
}

/**
 * Keeps the process alive when an error has reached nobody: every other client's
 * connections would die with it.
 *
 * Each such error is a bug of ours or of a program's own code. It is logged
 * (`process.unhandled`) and counted. For the whole process: only the program that owns
 * it may call this, once.
 */
export function catchUnhandled({ telemetry, onUnhandled }: LastResortDeps): void {
  let count = 0;
  const take = (kind: "error" | "rejection", error: unknown): void => {
    count++;
    telemetry.record("error", "process.unhandled", { kind, count, error: describeError(error) });
    onUnhandled(count);
  };
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    take("error", event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    take("rejection", event.reason);
  });
}
