import { parseArgs } from "@std/cli/parse-args";

/** Which flags a program takes. */
export interface FlagsOptions<Count extends string, Text extends string, Switch extends string> {
  /** What `--help` prints; `-h` does too. */
  readonly help: string;
  /** Whole numbers from 1, with what they are when not given. */
  readonly counts: Readonly<Record<Count, number>>;
  readonly texts?: readonly Text[];
  readonly switches?: readonly Switch[];
}

/** What was given. */
export interface Flags<Count extends string, Text extends string, Switch extends string> {
  readonly counts: Readonly<Record<Count, number>>;
  /** Those of the counts that were given, not taken from the defaults. */
  readonly given: ReadonlySet<Count>;
  readonly texts: Readonly<Partial<Record<Text, string>>>;
  readonly switches: Readonly<Record<Switch, boolean>>;
}

/** Reads the flags of this program; ends it with a message when they cannot be used. */
export function readFlags<Count extends string, Text extends string = never, Switch extends string = never>(
  { help, counts, texts = [], switches = [] }: FlagsOptions<Count, Text, Switch>,
): Flags<Count, Text, Switch> {
  const countNames = Object.keys(counts) as Count[];
  const unknown: string[] = [];
  const flags: Readonly<Record<string, unknown>> = parseArgs(Deno.args, {
    string: [...countNames, ...texts],
    boolean: ["help", ...switches],
    alias: { h: "help" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (flags["help"] === true) {
    console.log(help.trimEnd());
    Deno.exit(0);
  }
  const [first] = unknown;
  if (first !== undefined) failAtFlag(`Cannot use ${JSON.stringify(first)}: no such flag, see --help`);
  const given = countNames.filter((name) => flags[name] !== undefined);
  return {
    counts: { ...counts, ...pick(given, (name) => readCount(name, flags[name])) },
    given: new Set(given),
    texts: pick(texts.filter((name) => flags[name] !== undefined), (name) => String(flags[name])),
    switches: pick(switches, (name) => flags[name] === true),
  };
}

/** Ends the program because of what it was told. */
export function failAtFlag(message: string): never {
  console.error(message);
  Deno.exit(2);
}

/** The values that a flag lists with commas, each one of the known names; all of them when it was not given. */
export function readList<T>(name: string, text: string | undefined, known: ReadonlyMap<string, T>): readonly T[] {
  if (text === undefined) return [...known.values()];
  return text.split(",").map((item) => {
    const value = known.get(item.trim());
    if (value !== undefined) return value;
    failAtFlag(`Cannot use ${JSON.stringify(item)} in --${name}: must be of ${[...known.keys()].join(", ")}`);
  });
}

function readCount(name: string, text: unknown): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  failAtFlag(`Cannot use ${JSON.stringify(text)} as --${name}: must be a whole number from 1`);
}

function pick<Name extends string, T>(names: readonly Name[], value: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, T>;
}
