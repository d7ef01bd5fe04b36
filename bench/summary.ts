import type { Sample } from "./scenarios/scenario.ts";
import { median } from "./table.ts";

/** Samples of one scenario, and what they say together. */
export class Summary {
  readonly samples: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.samples = samples;
  }

  /** The cases, in the order they came. */
  get cases(): readonly string[] {
    return [...new Set(this.samples.map((sample) => sample.case))];
  }

  /** The servers, in the order they came. */
  get peers(): readonly string[] {
    return [...new Set(this.samples.map(({ peer }) => peer))];
  }

  /** A server's samples in a case. */
  of(name: string, peer: string): readonly Sample[] {
    return this.samples.filter((sample) => sample.case === name && sample.peer === peer);
  }

  /** The median of a value over the repeats; NaN when there is none. */
  middle(name: string, peer: string, key: string): number {
    return median(this.of(name, peer).flatMap(({ values }) => values[key] ?? []));
  }

  /** A server's value by another's, in each repeat that has both. */
  ratios(name: string, peers: { readonly of: string; readonly to: string }, key: string): readonly number[] {
    const others = this.of(name, peers.to);
    return this.of(name, peers.of).flatMap(({ repeat, values }) => {
      const own = values[key];
      const other = others.find((sample) => sample.repeat === repeat)?.values[key];
      return own === undefined || other === undefined ? [] : own / other;
    });
  }
}
