import type { Peer } from "../peers/peer.ts";
import { LOAD_COLUMNS, MESSAGES_PER_CPU_SECOND, toValues } from "./load_columns.ts";
import { onServer, orTooSlow, showProgress } from "./on_server.ts";
import type { Sample, Scenario, Settings } from "./scenario.ts";
import { formatCount } from "./units.ts";

const ROOMS = 2_000;
const IN_FLIGHT = 64;
const COLD_MESSAGES = 4_000;
const WARM_MESSAGES = 40_000;
const QUICK_WARM_MESSAGES = 8_000;

/** Many messages to one each. */
export const publish: Scenario = {
  name: "publish",
  title: "Publish path",
  measures: `${formatCount(ROOMS)} rooms with one subscriber each, one publisher, ${IN_FLIGHT} messages in flight. ` +
    `Cold: the first ${formatCount(COLD_MESSAGES)} messages after one or so to each room; warm: those after them.`,
  columns: [
    MESSAGES_PER_CPU_SECOND,
    { key: "perSecond", head: "messages per s", format: formatCount },
    ...LOAD_COLUMNS,
  ],
  suits: () => true,
  async run(peers, settings) {
    const samples: Sample[] = [];
    for (let repeat = 1; repeat <= settings.repeats; repeat++) {
      for (const peer of peers) {
        const place = { case: nameCase("cold", COLD_MESSAGES), peer: peer.name, repeat };
        samples.push(...await orTooSlow(place, () => measure(peer, settings, repeat)));
      }
    }
    return samples;
  },
};

/** What the cases are called. */
export function nameCase(kind: "cold" | "warm", messages: number): string {
  return `${kind}, ${formatCount(messages)} messages`;
}

function measure(peer: Peer, { isQuick }: Settings, repeat: number): Promise<readonly Sample[]> {
  return onServer(peer, { rooms: ROOMS, subscribersPerRoom: 1 }, async (generator) => {
    const samples: Sample[] = [];
    const warmMessages = isQuick ? QUICK_WARM_MESSAGES : WARM_MESSAGES;
    for (const [kind, messages] of [["cold", COLD_MESSAGES], ["warm", warmMessages]] as const) {
      const values = toValues(await generator.load({ inFlight: IN_FLIGHT, until: { messages } }));
      const sample = { case: nameCase(kind, messages), peer: peer.name, repeat, values };
      samples.push(sample);
      showProgress(sample, `${formatCount(values["messagesPerCpuSecond"] ?? NaN)} messages per CPU-second`);
    }
    return samples;
  });
}
