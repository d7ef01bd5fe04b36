import { BASELINES } from "./peers/all.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import type { Summary } from "./summary.ts";
import { median } from "./table.ts";

const NONE = "–";

/** The rows of a scenario's table, the head first: what servers are compared by, the ratios, and the rest. */
export function toRows({ columns }: Scenario, summary: Summary): readonly (readonly string[])[] {
  const [compared, ...others] = columns;
  const baselines = BASELINES.map(({ name }) => name).filter((name) => summary.peers.includes(name));
  const hasRemarks = summary.samples.some(({ remark }) => remark !== undefined);
  const hasRepeats = summary.samples.some(({ repeat }) => repeat > 1);
  const head = [
    ...["case", "server", compared.head],
    ...baselines.flatMap((name, index) => [`x ${name}`, ...(index === 0 && hasRepeats ? ["each repeat"] : [])]),
    ...others.map((column) => column.head),
    ...(hasRemarks ? ["remark"] : []),
  ];
  const rows = summary.cases.flatMap((name) =>
    summary.peers.filter((peer) => summary.of(name, peer).length > 0).map((peer) => {
      const format = ({ key, format }: Scenario["columns"][number]) => {
        const value = summary.middle(name, peer, key);
        return Number.isNaN(value) ? NONE : format(value);
      };
      const compare = (to: string, index: number) => {
        const ratios = to === peer ? [] : summary.ratios(name, { of: peer, to }, compared.key);
        const each = index === 0 && hasRepeats ? [ratios.map((ratio) => formatRatio(ratio)).join(" ")] : [];
        return [ratios.length === 0 ? NONE : formatRatio(median(ratios)), ...each];
      };
      const remarks = [...new Set(summary.of(name, peer).flatMap(({ remark }) => remark ?? []))];
      return [
        ...[name, peer, format(compared)],
        ...baselines.flatMap(compare),
        ...others.map(format),
        ...(hasRemarks ? [remarks.join(", ")] : []),
      ];
    })
  );
  return [head, ...rows];
}

/** A ratio with as many digits as it deserves. */
export function formatRatio(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 2 : 1);
}
