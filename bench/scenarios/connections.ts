import { type ConnectionCost, measureConnections } from "../connections.ts";
import type { Peer } from "../peers/peer.ts";
import { orTooSlow, showProgress } from "./on_server.ts";
import type { Column, Sample, Scenario, Settings } from "./scenario.ts";
import { formatCount, formatKilobytes, formatMs } from "./units.ts";

const FULL = { connections: 8_000 };
/** Memory that a server takes once weighs more on fewer connections, so these figures are no others' equals. */
const QUICK = { connections: 1_000, idleSeconds: 3 };
const KILOBYTES: Column = { key: "kilobytes", head: "memory of one, idle", format: formatKilobytes };
const CONNECT_MS: Column = { key: "connectMs", head: "CPU to connect one", format: formatMs };

/** What connections cost that do nothing. */
export const connections: Scenario = {
  name: "connections",
  title: "Idle connections",
  measures: "Connections with one subscription each, all to one room: resident memory of the server and its CPU to " +
    "connect and subscribe one; then its CPU while they are idle, pings included. KB are 1,000 bytes.",
  columns: [
    KILOBYTES,
    CONNECT_MS,
    { key: "connectSeconds", head: "all connected in", format: (value) => `${value.toFixed(1)} s` },
    { key: "idleMicroseconds", head: "CPU of one idle, in a second", format: (value) => `${value.toFixed(1)} µs` },
  ],
  suits: () => true,
  async run(peers, settings) {
    const samples: Sample[] = [];
    // A third of the repeats: thousands of connections even out by themselves.
    for (let repeat = 1; repeat <= Math.ceil(settings.repeats / 3); repeat++) {
      for (const peer of peers) samples.push(...await measure(peer, settings, repeat));
    }
    return samples;
  },
};

function measure(peer: Peer, { isQuick }: Settings, repeat: number): Promise<readonly Sample[]> {
  const options = isQuick ? QUICK : FULL;
  const place = { case: `${formatCount(options.connections)} connections`, peer: peer.name, repeat };
  return orTooSlow(place, async () => {
    const values = toValues(await measureConnections(peer, options));
    const sample = { ...place, values };
    const figures = [KILOBYTES, CONNECT_MS].map(({ key, format }) => format(values[key] ?? NaN));
    showProgress(sample, figures.join(", "));
    return [sample];
  });
}

function toValues(cost: ConnectionCost): Record<string, number> {
  return {
    kilobytes: cost.idleRssBytes / 1_000,
    connectMs: cost.connectCpuMs,
    connectSeconds: cost.connectSeconds,
    idleMicroseconds: cost.idleCpuMicroseconds,
  };
}
