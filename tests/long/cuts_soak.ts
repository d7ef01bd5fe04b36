import { failAtFlag, readFlags } from "../../bench/flags.ts";
import { formatTable } from "../../bench/table.ts";
import type { CutClientKind } from "../support/cut_client.ts";
import { CUT_CLIENT_KINDS } from "../support/cut_client_kinds.ts";
import { type CutRunResult, runCuts } from "../support/cut_run.ts";

const DEFAULTS = { cuts: 1_000, seed: 1 };
/** EventSource waits a second before it comes back, as the server asks it to: so more of them wait at once. */
const CLIENTS = { told: 12, other: 24 };
const SHOW_EVERY = 100;
const HEAD = [
  ...["client", "", "cuts", "seconds", "messages", "a second", "deliveries"],
  ...["announced losses", "unannounced losses", "repeats"],
];
const HELP = `Usage: deno task test:cuts [flags]

Cuts each kind of client off, again and again, while 50 to 200 messages a second are sent,
and looks for what was lost or repeated. Exits with 1 when it finds something.

  --cuts <n>     for each kind (default: ${DEFAULTS.cuts})
  --seed <n>     what happens follows from it (default: ${DEFAULTS.seed})
  --kind <name>  only this one of
${CUT_CLIENT_KINDS.map(({ name }) => `                   ${name}`).join("\n")}
  -h, --help     show this and exit
`;

await main();

async function main(): Promise<void> {
  const { cuts, seed, kinds } = readSettings();
  const runs: { readonly kind: CutClientKind; readonly result: CutRunResult }[] = [];
  for (const kind of kinds) {
    console.error(`${kind.name}: ${cuts} cuts, seed ${seed}`);
    let shown = 0;
    const onCuts = (done: number): void => {
      if (done < shown + SHOW_EVERY) return;
      shown = done;
      console.error(`  ${done} cuts`);
    };
    const clients = kind.isTold ? CLIENTS.told : CLIENTS.other;
    const result = await runCuts({ kind, cuts, seed, clients, onCuts });
    if (!isGood(result)) console.error(result.summary);
    runs.push({ kind, result });
  }
  const rows = runs.map(({ kind, result }) => [kind.name, isGood(result) ? "ok" : "FAILED", ...numbers(result)]);
  console.log(formatTable([HEAD, ...rows]));
  if (!runs.every(({ result }) => isGood(result))) Deno.exit(1);
}

function numbers(result: CutRunResult): readonly string[] {
  const { cuts, seconds, messages, deliveries, announcedLosses, unannouncedLosses, repeats } = result;
  const rate = messages / seconds;
  return [cuts, seconds, messages, rate, deliveries, announcedLosses, unannouncedLosses, repeats]
    .map((value) => Math.round(value).toLocaleString("en"));
}

/** History reaches back over every absence, so nothing is lost with an announcement either. */
function isGood({ ok, announcedLosses }: CutRunResult): boolean {
  return ok && announcedLosses === 0;
}

function readSettings() {
  const { counts, texts: { kind: name } } = readFlags({ help: HELP, counts: DEFAULTS, texts: ["kind"] });
  const kinds = name === undefined ? CUT_CLIENT_KINDS : CUT_CLIENT_KINDS.filter((kind) => kind.name === name);
  if (kinds.length === 0) failAtFlag(`Cannot use ${JSON.stringify(name)} as --kind: no such kind, see --help`);
  return { ...counts, kinds };
}
