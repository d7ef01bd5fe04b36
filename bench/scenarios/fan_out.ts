import { LoadGenerator } from "../load/generator.ts";
import type { Peer } from "../peers/peer.ts";
import { LOAD_COLUMNS, PER_CPU_SECOND, PER_SECOND, toValues } from "./load_columns.ts";
import { showProgress } from "./on_server.ts";
import type { Sample, Scenario, Settings } from "./scenario.ts";

const SUBSCRIBERS = 500;
const IN_FLIGHT: readonly number[] = [8, 1];

/** One message to many. */
export const fanOut: Scenario = {
  name: "fan-out",
  title: "Fan-out",
  measures:
    `${SUBSCRIBERS} subscribers in one room. With 8 messages in flight a server may gather several deliveries ` +
    "into one write; with 1 in flight every delivery is a write of its own.",
  columns: [PER_CPU_SECOND, PER_SECOND, ...LOAD_COLUMNS],
  suits: () => true,
  async run(peers, settings) {
    const samples: Sample[] = [];
    for (let repeat = 1; repeat <= settings.repeats; repeat++) samples.push(...await measure(peers, settings, repeat));
    return samples;
  },
};

/** One repeat: in each mode every server in its turn, so that what is compared is close in time. */
async function measure(peers: readonly Peer[], { seconds }: Settings, repeat: number): Promise<readonly Sample[]> {
  await using opened = new AsyncDisposableStack();
  const generators: (readonly [Peer, LoadGenerator])[] = [];
  for (const peer of peers) {
    const server = opened.use(await peer.start());
    const generator = await LoadGenerator.open({ peer, server, subscribersPerRoom: SUBSCRIBERS });
    generators.push([peer, opened.use(generator)]);
  }
  const samples: Sample[] = [];
  for (const inFlight of IN_FLIGHT) {
    for (const [peer, generator] of generators) {
      const values = toValues(await generator.load({ inFlight, until: { seconds } }));
      const sample = { case: `${inFlight} in flight`, peer: peer.name, repeat, values };
      samples.push(sample);
      showProgress(sample, `${PER_CPU_SECOND.format(values["perCpuSecond"] ?? NaN)} per CPU-second`);
    }
  }
  return samples;
}
