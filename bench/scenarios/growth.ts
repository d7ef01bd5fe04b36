import { graphqlRooms } from "../peers/graphql_rooms.ts";
import type { Peer } from "../peers/peer.ts";
import { socketIo } from "../peers/socket_io.ts";
import { LOAD_COLUMNS, PER_CPU_SECOND, PER_SECOND, toValues } from "./load_columns.ts";
import { type Load, onServer, orTooSlow, showProgress } from "./on_server.ts";
import type { Sample, Scenario, Settings } from "./scenario.ts";
import { formatCount } from "./units.ts";

interface Case {
  readonly name: string;
  readonly load: Load;
  readonly inFlight: number;
  readonly isQuick: boolean;
}

/** More would need more sockets than a process may have open. */
const MOST_CONNECTIONS = 8_000;
const CONTENT_SUBSCRIBERS = 100;
const CASES: readonly Case[] = [
  ...[10, 100, 500, 1_000, 4_000, 8_000].map((subscribers) => ({
    name: `${formatCount(subscribers)} subscribers`,
    load: { subscribersPerRoom: subscribers },
    inFlight: 8,
    isQuick: subscribers === 10 || subscribers === 1_000,
  })),
  ...[1, 10, 100, 1_000, 10_000].map((rooms) => ({
    name: `${formatCount(rooms)} ${rooms === 1 ? "room" : "rooms"}`,
    load: { rooms, subscribersPerRoom: 1, roomsPerConnection: Math.ceil(rooms / MOST_CONNECTIONS) },
    inFlight: 64,
    isQuick: rooms === 1 || rooms === 1_000,
  })),
  ...[100, 1_000, 10_000, 60_000].map((contentBytes) => ({
    name: `${formatCount(contentBytes)} B`,
    load: { subscribersPerRoom: CONTENT_SUBSCRIBERS, contentBytes },
    inFlight: 8,
    isQuick: contentBytes === 100 || contentBytes === 60_000,
  })),
];

/** What changes with more of everything. */
export const growth: Scenario = {
  name: "growth",
  title: "Growth",
  measures: "More subscribers in one room, with 8 messages in flight; more rooms with one subscriber each, with 64; " +
    `longer contents to ${CONTENT_SUBSCRIBERS} subscribers, with 8.`,
  columns: [
    PER_CPU_SECOND,
    { key: "megabytes", head: "MB per CPU-s", format: formatCount },
    PER_SECOND,
    ...LOAD_COLUMNS,
  ],
  suits: (peer) => peer === graphqlRooms || peer === socketIo,
  async run(peers, settings) {
    const samples: Sample[] = [];
    // A third of the repeats: there is much of it, and it is read for its shape.
    for (let repeat = 1; repeat <= Math.ceil(settings.repeats / 3); repeat++) {
      for (const one of CASES.filter(({ isQuick }) => isQuick || !settings.isQuick)) {
        for (const peer of peers) {
          const place = { case: one.name, peer: peer.name, repeat };
          samples.push(...await orTooSlow(place, () => measure(peer, one, { ...settings, repeat })));
        }
      }
    }
    return samples;
  },
};

async function measure(
  peer: Peer,
  { name, load, inFlight }: Case,
  { seconds, repeat }: Settings & { readonly repeat: number },
): Promise<readonly Sample[]> {
  const measurement = await onServer(peer, load, (generator) => generator.load({ inFlight, until: { seconds } }));
  const values = toValues(measurement);
  const perCpuSecond = values["perCpuSecond"] ?? NaN;
  const megabytes = perCpuSecond * measurement.frameBytes / 1e6;
  const sample = { case: name, peer: peer.name, repeat, values: { ...values, megabytes } };
  showProgress(sample, `${PER_CPU_SECOND.format(perCpuSecond)} per CPU-second`);
  return [sample];
}
