import { cServer } from "./peers/c_server.ts";
import { graphqlRooms } from "./peers/graphql_rooms.ts";
import { yogaOnDeno } from "./peers/graphql_yoga.ts";
import type { Peer } from "./peers/peer.ts";
import { socketIo } from "./peers/socket_io.ts";
import { formatRatio } from "./scenario_table.ts";
import { formatCount } from "./scenarios/units.ts";
import type { Summary } from "./summary.ts";
import { median } from "./table.ts";

/** What this server must reach, and what it shall reach. */
interface Goal {
  readonly what: string;
  readonly scenario: string;
  readonly case: string;
  /** Of `Sample.values`. */
  readonly key: string;
  /** Compares with that server; without it the value itself counts. */
  readonly against?: Peer;
  readonly floor?: number;
  readonly goal: number;
  /** Less is better. */
  readonly isAtMost?: boolean;
  format(value: number): string;
}

const FAN_OUT = { scenario: "fan-out", key: "perCpuSecond", format: formatTimes } as const;
const PUBLISH = { scenario: "publish", key: "messagesPerCpuSecond", against: socketIo, format: formatTimes } as const;
const CONNECTIONS = { scenario: "connections", case: "8,000 connections", isAtMost: true } as const;
const EIGHT = "8 in flight";
const ONE = "1 in flight";
const GOALS: readonly Goal[] = [
  { ...FAN_OUT, what: "fan-out, 8 in flight", case: EIGHT, against: socketIo, floor: 3.5, goal: 7 },
  { ...FAN_OUT, what: "fan-out, 8 in flight", case: EIGHT, against: yogaOnDeno, floor: 10, goal: 20 },
  { ...FAN_OUT, what: "fan-out, 8 in flight", case: EIGHT, against: cServer, floor: 1.9, goal: 4 },
  { ...FAN_OUT, what: "fan-out, 1 in flight", case: ONE, against: socketIo, floor: 1, goal: 1.9 },
  { ...FAN_OUT, what: "fan-out, 1 in flight", case: ONE, against: cServer, floor: 0.5, goal: 0.9 },
  { ...PUBLISH, what: "publish path, cold", case: "cold, 4,000 messages", floor: 0.7, goal: 2 },
  { ...PUBLISH, what: "publish path, warm", case: "warm, 40,000 messages", goal: 1.5 },
  {
    ...CONNECTIONS,
    what: "memory of an idle connection",
    key: "kilobytes",
    floor: 18,
    goal: 9,
    format: (value) => `${formatRatio(value)} KB`,
  },
  {
    ...CONNECTIONS,
    what: "CPU to connect and subscribe",
    key: "connectMs",
    floor: 0.4,
    goal: 0.2,
    format: (value) => `${formatRatio(value)} ms`,
  },
  {
    what: "Server-Sent Events, deliveries per CPU-s",
    scenario: "sse",
    case: EIGHT,
    key: "perCpuSecond",
    floor: 100_000,
    goal: 200_000,
    format: formatCount,
  },
];
const NOT_MEASURED = "not measured";

/** Floors and goals beside what was measured, as the rows of a table, the head first; undefined when nothing was. */
export function toGoalRows(summaries: ReadonlyMap<string, Summary>): readonly (readonly string[])[] | undefined {
  if (GOALS.every((goal) => measure(goal, summaries) === undefined)) return undefined;
  return [
    ["what", "against", "floor", "goal", "measured", "held"],
    ...GOALS.map((goal) => {
      const { what, against, floor, format } = goal;
      const value = measure(goal, summaries);
      const limits = [floor === undefined ? "" : format(floor), format(goal.goal)];
      const result = value === undefined ? [NOT_MEASURED, ""] : [format(value), judge(goal, value)];
      return [what, against?.name ?? "", ...limits, ...result];
    }),
  ];
}

/** Whether every goal has been measured. */
export function coversGoals(summaries: ReadonlyMap<string, Summary>): boolean {
  return GOALS.every((goal) => measure(goal, summaries) !== undefined);
}

function measure({ scenario, case: name, key, against }: Goal, summaries: ReadonlyMap<string, Summary>) {
  const summary = summaries.get(scenario);
  if (summary === undefined) return undefined;
  const own = graphqlRooms.name;
  const value = against === undefined
    ? summary.middle(name, own, key)
    : median(summary.ratios(name, { of: own, to: against.name }, key));
  return Number.isNaN(value) ? undefined : value;
}

function judge({ floor, goal, isAtMost = false }: Goal, value: number): string {
  const reaches = (limit: number) => isAtMost ? value <= limit : value >= limit;
  if (reaches(goal)) return "goal";
  if (floor === undefined) return "below the goal, no floor";
  return reaches(floor) ? "floor" : "NOT HELD";
}

function formatTimes(ratio: number): string {
  return `${formatRatio(ratio)} x`;
}
