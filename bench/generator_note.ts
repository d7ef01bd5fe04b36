import type { Sample } from "./scenarios/scenario.ts";
import { formatCount, formatShare } from "./scenarios/units.ts";

/** Of a core; above it the generator may be what limits deliveries per second. */
const BUSY_SHARE = 0.9;

/** Whether the load generator was the limit anywhere: a sentence or two; undefined where nobody measured that. */
export function noteGenerator(samples: readonly Sample[]): string | undefined {
  const loads = samples.filter(({ values }) => values["generatorShare"] !== undefined);
  const perSecond = ({ values }: Sample) => values["perSecond"] ?? 0;
  const [most] = loads.toSorted((a, b) => perSecond(b) - perSecond(a));
  if (most === undefined) return undefined;
  const share = ({ values }: Sample) => values["generatorShare"] ?? 0;
  const busy = loads.filter((sample) => share(sample) > BUSY_SHARE)
    .map((sample) => `${sample.peer} (${sample.case})`);
  const names = [...new Set(busy)].join("; ");
  return `The generator took up to ${formatCount(perSecond(most))} deliveries a second, those of ${most.peer} ` +
    `(${most.case}), and used at most ${formatShare(Math.max(...loads.map(share)))} of a core.` +
    (names === "" ? "" : ` It may have limited deliveries per s, not per CPU-s, of ${names}.`);
}
