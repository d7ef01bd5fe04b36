import type { Peer } from "../peers/peer.ts";

/** How long and how often to measure. */
export interface Settings {
  /** Times each server is started and measured. */
  readonly repeats: number;
  /** Measured each time, where it goes by time. */
  readonly seconds: number;
  /** Asks for fewer and smaller cases. */
  readonly isQuick: boolean;
}

/** One case on one server in one repeat. */
export interface Sample {
  /** What was done, in a few words: `8 in flight`. */
  readonly case: string;
  /** The server's name. */
  readonly peer: string;
  readonly repeat: number;
  /** What was measured, by the keys of the scenario's columns. A missing one is shown as a dash. */
  readonly values: Readonly<Record<string, number>>;
  /** What is to be known about it, if anything. */
  readonly remark?: string;
}

/** A column of a scenario's table. */
export interface Column {
  /** Of `Sample.values`. */
  readonly key: string;
  readonly head: string;
  format(value: number): string;
}

/** Something to measure on every server. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** What is done and what is measured, in a sentence or two. */
  readonly measures: string;
  /** The first one is what servers are compared by. */
  readonly columns: readonly [Column, ...Column[]];
  /** Whether it has a use for that server. */
  suits(peer: Peer): boolean;
  /** Measures the servers by turns. Throws at the first wrong or missing delivery. */
  run(peers: readonly Peer[], settings: Settings): Promise<readonly Sample[]>;
}
