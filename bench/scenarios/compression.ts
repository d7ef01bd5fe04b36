import { fillWithRecords } from "../load/filler.ts";
import { graphqlRooms, graphqlRoomsCompressed } from "../peers/graphql_rooms.ts";
import type { Peer } from "../peers/peer.ts";
import { rawWs, rawWsCompressed } from "../peers/raw_ws.ts";
import { LOAD_COLUMNS, PER_CPU_SECOND, PER_SECOND, toValues } from "./load_columns.ts";
import { onServer, showProgress } from "./on_server.ts";
import type { Column, Sample, Scenario } from "./scenario.ts";
import { formatBytes, formatCount, formatShare } from "./units.ts";

const SUBSCRIBERS = 200;
const IN_FLIGHT = 8;
const CONTENT_BYTES: readonly number[] = [2_000, 20_000];
const QUICK_CONTENT_BYTES: readonly number[] = [2_000];
/** Those that can compress, as they are when they do. */
const COMPRESSED: ReadonlyMap<Peer, Peer> = new Map([
  [graphqlRooms, graphqlRoomsCompressed],
  [rawWs, rawWsCompressed],
]);
/** All that was read, divided by the deliveries: no two need have the same size. */
const WIRE_BYTES: Column = { key: "wireBytes", head: "bytes on the wire", format: formatBytes };

/** What permessage-deflate costs and saves. */
export const compression: Scenario = {
  name: "compression",
  title: "Compression",
  measures: `${SUBSCRIBERS} subscribers in one room, ${IN_FLIGHT} messages in flight, contents that compress as ` +
    "records with text do. Each server without permessage-deflate and with it: level 3, no context between messages. " +
    "graphql-rooms compresses a message once for all, ws for each connection. _x plain_ is the ratio to the same " +
    "server without it. The generator inflates the first delivery of each message and compares the others on the wire.",
  columns: [
    PER_CPU_SECOND,
    { key: "perCpuSecondRatio", head: "x plain", format: formatTwoDigits },
    WIRE_BYTES,
    { key: "wireBytesRatio", head: "bytes x plain", format: formatTwoDigits },
    { key: "deflatedShare", head: "came compressed", format: formatShare },
    PER_SECOND,
    ...LOAD_COLUMNS.filter(({ key }) => key !== "frameBytes"),
  ],
  suits: (peer) => COMPRESSED.has(peer),
  async run(peers, settings) {
    const samples: Sample[] = [];
    for (let repeat = 1; repeat <= settings.repeats; repeat++) {
      for (const contentBytes of settings.isQuick ? QUICK_CONTENT_BYTES : CONTENT_BYTES) {
        for (const peer of peers) samples.push(...await measureBoth(peer, { ...settings, contentBytes, repeat }));
      }
    }
    return samples;
  },
};

/** One server with contents of one size, in one repeat. */
interface Turn {
  readonly contentBytes: number;
  readonly repeat: number;
  readonly seconds: number;
}

/** A server without compression and with it, one right after the other, so that what is compared is close in time. */
async function measureBoth(peer: Peer, turn: Turn): Promise<readonly Sample[]> {
  const plain = await measure(peer, turn);
  showProgress(plain, formatFigures(plain));
  const compressed = COMPRESSED.get(peer);
  if (compressed === undefined) return [plain];
  const { values, ...place } = await measure(compressed, turn);
  const ratios = {
    perCpuSecondRatio: divide(values, plain.values, "perCpuSecond"),
    wireBytesRatio: divide(values, plain.values, "wireBytes"),
  };
  const sample = { ...place, values: { ...values, ...ratios } };
  showProgress(sample, formatFigures(sample));
  return [plain, sample];
}

async function measure(peer: Peer, { contentBytes, repeat, seconds }: Turn): Promise<Sample> {
  const measurement = await onServer(
    peer,
    { subscribersPerRoom: SUBSCRIBERS, contentBytes, filler: fillWithRecords },
    (generator) => generator.load({ inFlight: IN_FLIGHT, until: { seconds } }),
  );
  const { deliveries, deflated, readBytes } = measurement;
  if (peer.compresses && deflated === 0) {
    throw new Error(`Cannot measure ${peer.name}: it agreed to compress, and of ${deliveries} deliveries none was`);
  }
  const values = { ...toValues(measurement), wireBytes: readBytes / deliveries, deflatedShare: deflated / deliveries };
  return { case: `${formatCount(contentBytes)} B`, peer: peer.name, repeat, values };
}

function divide(values: Sample["values"], others: Sample["values"], key: string): number {
  return (values[key] ?? NaN) / (others[key] ?? NaN);
}

function formatFigures({ values }: Sample): string {
  const [deliveries, bytes] = [PER_CPU_SECOND, WIRE_BYTES].map(({ key, format }) => format(values[key] ?? NaN));
  return `${deliveries} per CPU-second, ${bytes} each`;
}

function formatTwoDigits(ratio: number): string {
  return ratio.toFixed(2);
}
