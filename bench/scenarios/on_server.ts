import { type GeneratorOptions, LoadGenerator, TooSlowError } from "../load/generator.ts";
import type { Peer } from "../peers/peer.ts";
import type { Sample } from "./scenario.ts";

/** Subscribers of a server, but for the server. */
export type Load = Omit<GeneratorOptions, "peer" | "server">;

/** Starts the server, connects the subscribers, runs the action and ends both. */
export async function onServer<T>(
  peer: Peer,
  load: Load,
  action: (generator: LoadGenerator) => Promise<T>,
): Promise<T> {
  await using server = await peer.start();
  using generator = await LoadGenerator.open({ ...load, peer, server });
  return await action(generator);
}

/** What the action yields; a sample without values when the server was too slow for what was asked. */
export async function orTooSlow(
  place: Pick<Sample, "case" | "peer" | "repeat">,
  action: () => Promise<readonly Sample[]>,
): Promise<readonly Sample[]> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof TooSlowError)) throw error;
    console.error(`  ${error.message}`);
    return [{ ...place, values: {}, remark: "too slow" }];
  }
}

/** Shows on stderr how far the bench is. */
export function showProgress({ case: name, peer, repeat, remark }: Sample, figure: string): void {
  console.error(`  ${repeat}. ${name}, ${peer}: ${figure}${remark === undefined ? "" : ` (${remark})`}`);
}
