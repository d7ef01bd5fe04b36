import { LOAD_COLUMNS, PER_CPU_SECOND, PER_SECOND, toValues } from "./load_columns.ts";
import { onServer, showProgress } from "./on_server.ts";
import type { Sample, Scenario } from "./scenario.ts";

const READERS = 200;
const IN_FLIGHT = 8;

/** Fan-out to readers of Server-Sent Events. */
export const sse: Scenario = {
  name: "sse",
  title: "Server-Sent Events",
  measures: `${READERS} readers of one room over HTTP/1.1, ${IN_FLIGHT} messages in flight, published over WebSocket.`,
  columns: [PER_CPU_SECOND, PER_SECOND, ...LOAD_COLUMNS],
  suits: ({ stream }) => stream !== undefined,
  async run(peers, { repeats, seconds }) {
    const samples: Sample[] = [];
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const peer of peers) {
        const measurement = await onServer(
          peer,
          { subscribersPerRoom: READERS, over: "stream" },
          (generator) => generator.load({ inFlight: IN_FLIGHT, until: { seconds } }),
        );
        const values = toValues(measurement);
        const sample = { case: `${IN_FLIGHT} in flight`, peer: peer.name, repeat, values };
        samples.push(sample);
        showProgress(sample, `${PER_CPU_SECOND.format(values["perCpuSecond"] ?? NaN)} per CPU-second`);
      }
    }
    return samples;
  },
};
