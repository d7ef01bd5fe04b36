import { type Section, writeSections } from "./benchmarks_file.ts";
import { failAtFlag, readFlags, readList } from "./flags.ts";
import { noteGenerator } from "./generator_note.ts";
import { coversGoals, toGoalRows } from "./goals.ts";
import { describeMachine } from "./machine.ts";
import { PEERS, QUICK_PEERS } from "./peers/all.ts";
import type { Peer } from "./peers/peer.ts";
import { toRows } from "./scenario_table.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import type { Scenario, Settings } from "./scenarios/scenario.ts";
import { Summary } from "./summary.ts";
import { formatMarkdownTable, formatTable } from "./table.ts";

interface Command {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly settings: Settings;
  readonly writes: boolean;
}

const DEFAULTS = { repeats: 3, seconds: 3 };
const QUICK = { repeats: 1, seconds: 1 };
const GOALS_TITLE = "Floors and goals";
const HELP = `Usage: deno task bench [flags]

Measures this server beside others. Takes about twenty minutes.

  --only <names>   scenarios, of ${[...SCENARIOS.keys()].join(", ")}
  --peers <names>  servers, of ${[...PEERS.keys()].join(", ")}
  --repeats <n>    times each server is started and measured (default: ${DEFAULTS.repeats})
  --seconds <n>    measured each time, in each case (default: ${DEFAULTS.seconds})
  --quick          fewer servers and smaller cases, once, for a second each: two minutes
  --write          write what was measured into BENCHMARKS.md, in place of the tables of the same scenarios
  -h, --help       show this and exit
`;

await main();

async function main(): Promise<void> {
  const command = readCommand();
  const versions = await prepare(command.peers);
  const summaries = new Map<string, Summary>();
  const sections: Section[] = [];
  for (const scenario of command.scenarios) {
    const peers = [...versions.keys()].filter((peer) => scenario.suits(peer));
    if (peers.length === 0) {
      console.error(`\n${scenario.title} is left out: none of the servers suits it`);
      continue;
    }
    console.error(`\n${scenario.title}`);
    const summary = new Summary(await scenario.run(peers, command.settings));
    summaries.set(scenario.name, summary);
    const rows = toRows(scenario, summary);
    const notes = [
      noteGenerator(summary.samples),
      describeConditions(command.settings, summary, peers.flatMap((peer) => versions.get(peer) ?? [])),
    ].filter((note) => note !== undefined).join("\n\n");
    console.log(`\n${scenario.title}\n${scenario.measures}\n\n${formatTable(rows)}\n\n${notes}`);
    const text = `${scenario.measures}\n\n${formatMarkdownTable(rows)}\n\n${notes}`;
    sections.push({ name: scenario.name, title: scenario.title, text });
  }
  if (sections.length === 0) failAtFlag("Cannot measure: none of the servers suits what is to be measured");
  const goals = toGoalRows(summaries);
  if (goals !== undefined) console.log(`\n${GOALS_TITLE}\n\n${formatTable(goals)}`);
  if (!command.writes) return;
  // A run that does not measure all of it leaves the table of one that did.
  if (goals === undefined || !coversGoals(summaries) || command.settings.isQuick) {
    console.error(`\n${GOALS_TITLE} stay as they were: not all was measured`);
  } else {
    const all = new Summary([...summaries.values()].flatMap(({ samples }) => samples));
    const text = `${formatMarkdownTable(goals)}\n\n${describeConditions(command.settings, all, [])}`;
    sections.unshift({ name: "goals", title: GOALS_TITLE, text });
  }
  await writeSections(sections);
}

/** Makes every server ready to start; returns the versions of those that can be. */
async function prepare(peers: readonly Peer[]): Promise<ReadonlyMap<Peer, string>> {
  const versions = new Map<Peer, string>();
  for (const peer of peers) {
    try {
      versions.set(peer, await peer.prepare());
    } catch (error) {
      console.error(`${peer.name} is left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (versions.size === 0) failAtFlag("Cannot measure: no server is left");
  return versions;
}

function describeConditions({ seconds, isQuick }: Settings, { samples }: Summary, versions: readonly string[]): string {
  const date = new Date().toISOString().slice(0, 10);
  const repeats = Math.max(...samples.map(({ repeat }) => repeat));
  const extent = `${
    repeats === 1 ? "one repeat" : `medians of ${repeats} repeats`
  }, ${seconds} s where it goes by time`;
  return [`${date}${isQuick ? ", a quick look" : ""}; ${extent}; ${describeMachine()}`, ...versions].join("; ");
}

function readCommand(): Command {
  const { counts, given, texts, switches } = readFlags({
    help: HELP,
    counts: DEFAULTS,
    texts: ["only", "peers"],
    switches: ["quick", "write"],
  });
  const isQuick = switches.quick;
  const quick = isQuick ? { ...QUICK, ...Object.fromEntries([...given].map((name) => [name, counts[name]])) } : {};
  return {
    scenarios: readList("only", texts.only, SCENARIOS),
    peers: isQuick && texts.peers === undefined ? QUICK_PEERS : readList("peers", texts.peers, PEERS),
    settings: { ...counts, ...quick, isQuick },
    writes: switches.write,
  };
}
