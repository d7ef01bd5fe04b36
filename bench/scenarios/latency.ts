import type { LoadGenerator } from "../load/generator.ts";
import { Histogram } from "../load/histogram.ts";
import { pace } from "../load/pace.ts";
import type { Peer } from "../peers/peer.ts";
import { LOAD_COLUMNS, PER_SECOND, toValues } from "./load_columns.ts";
import { onServer, showProgress } from "./on_server.ts";
import type { Column, Sample, Scenario, Settings } from "./scenario.ts";
import { formatCount, formatMs } from "./units.ts";

const SUBSCRIBERS = 500;
/** Messages a second. */
const RATES: readonly number[] = [40, 100];
const WARM_UP_SECONDS = 1;
/** Of the offered load; a server below it does not hold it. */
const HELD_SHARE = 0.97;
const P50: Column = { key: "p50", head: "p50", format: formatMs };
const P99: Column = { key: "p99", head: "p99", format: formatMs };

/** How long a delivery takes under a load that does not wait for it. */
export const latency: Scenario = {
  name: "latency",
  title: "Latency at a fixed rate",
  measures: `${SUBSCRIBERS} subscribers in one room; messages are published by the clock, ${RATES.join(" or ")} a ` +
    "second. From the moment a message was due to each delivery. A server that cannot hold the rate is shown as such: " +
    "then the figures say how long it fell behind, and nothing else.",
  columns: [
    P99,
    P50,
    { key: "publisherLate", head: "publisher late, p99", format: formatMs },
    PER_SECOND,
    ...LOAD_COLUMNS,
  ],
  suits: () => true,
  async run(peers, settings) {
    const samples: Sample[] = [];
    for (let repeat = 1; repeat <= settings.repeats; repeat++) {
      for (const peer of peers) samples.push(...await measure(peer, settings, repeat));
    }
    return samples;
  },
};

function measure(peer: Peer, { seconds }: Settings, repeat: number): Promise<readonly Sample[]> {
  let latencies = new Histogram();
  const onDelivery = (dueMs: number) => latencies.record((performance.now() - dueMs) * 1_000);
  return onServer(peer, { subscribersPerRoom: SUBSCRIBERS, onDelivery }, async (generator) => {
    const samples: Sample[] = [];
    for (const perSecond of RATES) {
      await offer(generator, { perSecond, seconds: WARM_UP_SECONDS });
      latencies = new Histogram();
      const { values, publisherLate } = await offer(generator, { perSecond, seconds });
      const offered = perSecond * SUBSCRIBERS;
      const isHeld = (values["perSecond"] ?? 0) >= offered * HELD_SHARE;
      const [p50, p99] = [0.5, 0.99].map((share) => latencies.quantile(share) / 1_000);
      const sample: Sample = {
        case: `${formatCount(offered)} deliveries/s`,
        peer: peer.name,
        repeat,
        values: { ...values, publisherLate, p50: p50 ?? NaN, p99: p99 ?? NaN },
        ...(!isHeld && { remark: "not held" }),
      };
      samples.push(sample);
      showProgress(sample, `p50 ${P50.format(p50 ?? NaN)}, p99 ${P99.format(p99 ?? NaN)}`);
    }
    return samples;
  });
}

async function offer(
  generator: LoadGenerator,
  rate: { readonly perSecond: number; readonly seconds: number },
): Promise<{ readonly values: Record<string, number>; readonly publisherLate: number }> {
  const { traffic, trouble } = generator;
  const late = new Histogram();
  const onLate = (ms: number) => late.record(ms * 1_000);
  const measurement = await generator.follow(pace({ ...rate, traffic, trouble, onLate }));
  return { values: toValues(measurement), publisherLate: late.quantile(0.99) / 1_000 };
}
