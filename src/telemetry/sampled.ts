import { type Cancel, type Clock, systemClock } from "../core/clock.ts";
import type { LogFields, Telemetry } from "../core/telemetry.ts";

/** So many lines of one cause may come at once; so many a second in the long run. */
const BURST_LINES = 100;
const LINES_PER_SECOND = 10;
/** An event may have so many times as many over all its causes: a peer chooses among them. */
const EVENT_SHARE = 5;
/** How often it is said what was left out, in milliseconds. */
const REPORT_MS = 10_000;
/** Causes of one event that are told apart; those beyond share one budget. */
const MAX_CAUSES = 16;

/**
 * Passes on only so much of what happens again and again.
 *
 * Who can make the server write a line could fill its disk. So each event and cause has
 * a budget, in lines, and every ten seconds one line (`log.left_out`) says how many
 * were left out. What happens now and then is always written.
 *
 * Events are named in the code, and causes are codes and statuses: no reason and no
 * error's message counts, because what a peer says may stand in them.
 */
export function createSampled(inner: Telemetry, clock: Clock = systemClock): Telemetry {
  const events = new Map<string, EventBudget>();
  let cancelReport: Cancel | undefined;
  return {
    keeps: (level) => inner.keeps?.(level) ?? true,
    record(level, event, fields) {
      if (inner.keeps?.(level) === false) return;
      const nowMs = clock.now();
      const { all, causes } = eventBudget(event, nowMs);
      const one = causeBudget(causes, causeOf(fields), nowMs);
      if (has(one, nowMs) && has(all, nowMs)) {
        one.lines--;
        all.lines--;
        return inner.record(level, event, fields);
      }
      one.leftOut++;
      cancelReport ??= clock.after(REPORT_MS, report);
    },
  };

  function eventBudget(event: string, nowMs: number): EventBudget {
    let budget = events.get(event);
    if (budget === undefined) {
      budget = { all: createBudget(EVENT_SHARE, nowMs), causes: new Map() };
      events.set(event, budget);
    }
    return budget;
  }

  function report(): void {
    cancelReport = undefined;
    for (const [of, { causes }] of events) {
      for (const [cause, budget] of causes) {
        if (budget.leftOut === 0) continue;
        inner.record("warn", "log.left_out", { of, cause, lines: budget.leftOut });
        budget.leftOut = 0;
      }
    }
  }
}

/** What may still be written of one event: over all, and of each cause. */
interface EventBudget {
  readonly all: Budget;
  readonly causes: Map<string | undefined, Budget>;
}

interface Budget {
  readonly share: number;
  lines: number;
  atMs: number;
  leftOut: number;
}

function createBudget(share: number, nowMs: number): Budget {
  return { share, lines: share * BURST_LINES, atMs: nowMs, leftOut: 0 };
}

function causeBudget(causes: EventBudget["causes"], cause: string | undefined, nowMs: number): Budget {
  const known = causes.get(cause);
  if (known !== undefined) return known;
  if (causes.size >= MAX_CAUSES) forgetFull(causes, nowMs);
  if (causes.size >= MAX_CAUSES && cause !== undefined) return causeBudget(causes, undefined, nowMs);
  const budget = createBudget(1, nowMs);
  causes.set(cause, budget);
  return budget;
}

/** Who has its whole budget again need not be remembered. */
function forgetFull(causes: EventBudget["causes"], nowMs: number): void {
  for (const [cause, budget] of causes) {
    refill(budget, nowMs);
    if (budget.lines === BURST_LINES && budget.leftOut === 0) causes.delete(cause);
  }
}

function has(budget: Budget, nowMs: number): boolean {
  refill(budget, nowMs);
  return budget.lines >= 1;
}

function refill(budget: Budget, nowMs: number): void {
  // The clock may have been set back.
  const passedMs = Math.max(0, nowMs - budget.atMs);
  const { share } = budget;
  budget.lines = Math.min(share * BURST_LINES, budget.lines + share * passedMs * LINES_PER_SECOND / 1_000);
  budget.atMs = nowMs;
}

/** What tells occurrences of one event apart, in words of our own: never who it happened to, or what they said. */
function causeOf({ code, status }: LogFields = {}): string | undefined {
  if (code === undefined) return status === undefined ? undefined : String(status);
  return status === undefined ? String(code) : `${code} ${status}`;
}
