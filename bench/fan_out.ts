import { parseArgs } from "@std/cli/parse-args";
import { LoadGenerator, type Measurement } from "./load/generator.ts";
import { graphqlRooms } from "./peers/graphql_rooms.ts";
import type { Peer } from "./peers/peer.ts";
import { socketIo } from "./peers/socket_io.ts";
import { formatTable, median } from "./table.ts";

/** One mode on one server in one repeat. */
interface Result extends Measurement {
  readonly peer: Peer;
  readonly inFlight: number;
  readonly repeat: number;
}

interface Settings {
  readonly repeats: number;
  readonly seconds: number;
  readonly subscribers: number;
}

/** In the order they run in each repeat. Every other server is compared with the baseline. */
const PEERS: readonly Peer[] = [graphqlRooms, socketIo];
const BASELINE = socketIo;
const MODES: readonly number[] = [8, 1];
const DEFAULTS: Settings = { repeats: 3, seconds: 3, subscribers: 500 };
const HELP = `Usage: deno run -A bench/fan_out.ts [flags]

Fans messages out to one room: this server and Socket.IO, by turns.

  --repeats <n>      times each server is started and measured (default: ${DEFAULTS.repeats})
  --seconds <n>      measured each time, in each mode (default: ${DEFAULTS.seconds})
  --subscribers <n>  in the room (default: ${DEFAULTS.subscribers})
  -h, --help         show this and exit
`;

await main();

async function main(): Promise<void> {
  const settings = readSettings();
  const versions: string[] = [];
  for (const peer of PEERS) versions.push(await peer.prepare());
  const results: Result[] = [];
  for (let repeat = 1; repeat <= settings.repeats; repeat++) {
    results.push(...await measure(repeat, settings));
  }
  console.log(`\n${formatResults(results)}\n\n${describeRun(settings)}\n${describeMachine(versions)}`);
}

/** One repeat: in each mode every server in its turn, so that what is compared is close in time. */
async function measure(repeat: number, { repeats, seconds, subscribers }: Settings): Promise<Result[]> {
  console.error(`repeat ${repeat} of ${repeats}: connecting ${subscribers} subscribers to each server`);
  await using opened = new AsyncDisposableStack();
  const targets: { readonly peer: Peer; readonly generator: LoadGenerator }[] = [];
  for (const peer of PEERS) {
    const server = opened.use(await peer.start());
    targets.push({ peer, generator: opened.use(await LoadGenerator.open({ peer, server, subscribers })) });
  }
  const results: Result[] = [];
  for (const inFlight of MODES) {
    for (const { peer, generator } of targets) {
      const result = { ...await generator.load({ inFlight, seconds }), peer, inFlight, repeat };
      results.push(result);
      console.error(`  ${inFlight} in flight, ${peer.name}: ${formatCount(perCpuSecond(result))} per CPU-second`);
    }
  }
  return results;
}

function formatResults(results: readonly Result[]): string {
  const head = ["in flight", "server", "deliveries per CPU-s", "ratio", "each repeat", "deliveries per s"];
  const rows = MODES.flatMap((inFlight) =>
    PEERS.map((peer) => {
      const own = results.filter((result) => result.peer === peer && result.inFlight === inFlight);
      const ratios = own.map((result) => perCpuSecond(result) / perCpuSecond(findBaseline(results, result)));
      const middle = (value: (result: Result) => number) => median(own.map(value));
      return [
        String(inFlight),
        peer.name,
        formatCount(middle(perCpuSecond)),
        peer === BASELINE ? "1" : `${median(ratios).toFixed(2)} x`,
        peer === BASELINE ? "" : ratios.map((ratio) => ratio.toFixed(2)).join(" "),
        formatCount(middle(({ deliveries, elapsedSeconds }) => deliveries / elapsedSeconds)),
        `${middle(({ frameBytes }) => frameBytes)} B`,
        formatShare(middle(({ serverCpuSeconds, elapsedSeconds }) => serverCpuSeconds / elapsedSeconds)),
        formatShare(middle(({ generatorCpuSeconds, elapsedSeconds }) => generatorCpuSeconds / elapsedSeconds)),
        formatShare(middle(otherCpuShare)),
      ];
    })
  );
  return formatTable([[...head, "frame", "server CPU", "generator CPU", "other CPU"], ...rows]);
}

function findBaseline(results: readonly Result[], { inFlight, repeat }: Result): Result {
  const found = results.find((result) =>
    result.peer === BASELINE && result.inFlight === inFlight && result.repeat === repeat
  );
  if (found === undefined) throw new Error(`Cannot compare: ${BASELINE.name} has no repeat ${repeat}`);
  return found;
}

function perCpuSecond({ deliveries, serverCpuSeconds }: Measurement): number {
  return deliveries / serverCpuSeconds;
}

/** What neither the server nor the generator used; much of it makes the figures doubtful. */
function otherCpuShare(result: Measurement): number {
  const { machineCpuSeconds, serverCpuSeconds, generatorCpuSeconds, elapsedSeconds } = result;
  return Math.max(0, machineCpuSeconds - serverCpuSeconds - generatorCpuSeconds) / elapsedSeconds;
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Of one core. */
function formatShare(value: number): string {
  return `${Math.round(value * 100)} %`;
}

function describeRun({ repeats, seconds, subscribers }: Settings): string {
  return `medians of ${repeats} x ${seconds} s, ${subscribers} subscribers in one room, every delivery checked`;
}

function describeMachine(versions: readonly string[]): string {
  const { os, arch } = Deno.build;
  return `${navigator.hardwareConcurrency} cores, ${os} ${Deno.osRelease()} ${arch}, ${versions.join(", ")}`;
}

function readSettings(): Settings {
  const unknown: string[] = [];
  const names = ["repeats", "seconds", "subscribers"] as const;
  const flags = parseArgs(Deno.args, {
    string: names,
    boolean: ["help"],
    alias: { h: "help" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (flags.help === true) {
    console.log(HELP);
    Deno.exit(0);
  }
  const [first] = [...unknown, ...flags._.map(String)];
  if (first !== undefined) fail(`Cannot use ${JSON.stringify(first)}: no such flag, see --help`);
  const read = (name: typeof names[number]) => {
    const text = flags[name];
    if (text === undefined) return DEFAULTS[name];
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) {
      fail(`Cannot use ${JSON.stringify(text)} as --${name}: must be a whole number from 1`);
    }
    return value;
  };
  return { repeats: read("repeats"), seconds: read("seconds"), subscribers: read("subscribers") };
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(2);
}
