import { type Cancel, type Clock, systemClock } from "../core/clock.ts";
import type { LogFields, Telemetry } from "../core/telemetry.ts";

/** So many lines of one cause may come at once; so many a second in the long run. */
const BURST_LINES = 100;
const LINES_PER_SECOND = 10;
/** How often it is said what was left out, in milliseconds. */
const REPORT_MS = 10_000;
/** Causes told apart; what comes beyond them is counted with its event alone. A peer's words may stand in them. */
const MAX_CAUSES = 256;
const MAX_CAUSE_CHARACTERS = 64;
const FORGET_MS = 1_000;

/**
 * Passes on only so much of what happens again and again.
 *
 * Who can make the server write a line could fill its disk. So each event and cause has
 * a budget, in lines, and every ten seconds one line (`log.left_out`) says how many
 * were left out. What happens once is always written.
 */
export function createSampled(inner: Telemetry, clock: Clock = systemClock): Telemetry {
  const budgets = new Map<string, Budget>();
  let cancelReport: Cancel | undefined;
  let forgotAtMs = -Infinity;
  return {
    keeps: (level) => inner.keeps?.(level) ?? true,
    record(level, event, fields) {
      if (inner.keeps?.(level) === false) return;
      if (take(budgetFor(event, causeOf(fields)), clock.now())) return inner.record(level, event, fields);
      cancelReport ??= clock.after(REPORT_MS, report);
    },
  };

  function budgetFor(event: string, cause: string | undefined): Budget {
    const key = cause === undefined ? event : `${event} ${cause}`;
    const known = budgets.get(key);
    if (known !== undefined) return known;
    if (budgets.size >= MAX_CAUSES) forgetFull();
    // Events are named in the code, causes may be made up.
    if (budgets.size >= MAX_CAUSES && cause !== undefined) return budgetFor(event, undefined);
    const budget = { event, cause, lines: BURST_LINES, atMs: clock.now(), leftOut: 0 };
    budgets.set(key, budget);
    return budget;
  }

  /** Who has its whole budget again need not be remembered. Looks at all, so not for every line of a flood. */
  function forgetFull(): void {
    const nowMs = clock.now();
    if (Math.abs(nowMs - forgotAtMs) < FORGET_MS) return;
    forgotAtMs = nowMs;
    for (const [key, budget] of budgets) {
      refill(budget, nowMs);
      if (budget.lines === BURST_LINES && budget.leftOut === 0) budgets.delete(key);
    }
  }

  function report(): void {
    cancelReport = undefined;
    for (const budget of budgets.values()) {
      if (budget.leftOut === 0) continue;
      const { event: of, cause, leftOut: lines } = budget;
      inner.record("warn", "log.left_out", { of, cause, lines });
      budget.leftOut = 0;
    }
  }
}

/** What may still be written of one event and cause. */
interface Budget {
  readonly event: string;
  readonly cause: string | undefined;
  lines: number;
  atMs: number;
  leftOut: number;
}

function take(budget: Budget, nowMs: number): boolean {
  refill(budget, nowMs);
  if (budget.lines < 1) {
    budget.leftOut++;
    return false;
  }
  budget.lines--;
  return true;
}

function refill(budget: Budget, nowMs: number): void {
  // The clock may have been set back.
  const passedMs = Math.max(0, nowMs - budget.atMs);
  budget.lines = Math.min(BURST_LINES, budget.lines + passedMs * LINES_PER_SECOND / 1_000);
  budget.atMs = nowMs;
}

/** What tells occurrences of one event apart: never who it happened to. */
function causeOf(fields: LogFields = {}): string | undefined {
  const cause = fields["reason"] ?? fields["code"] ?? firstLine(fields["error"]);
  return cause === undefined ? undefined : String(cause).slice(0, MAX_CAUSE_CHARACTERS);
}

function firstLine(text: LogFields[string]): string | undefined {
  return typeof text === "string" ? text.split("\n", 1)[0] : undefined;
}
