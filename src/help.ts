import { SETTINGS } from "./settings.ts";

/** The text of `--help`: every setting with its flag, its variable and its default. */
export function formatHelp(version: string): string {
  const usages = SETTINGS.map(({ flag, bare, placeholder }) =>
    bare === undefined ? `--${flag} <${placeholder}>` : `--${flag}`
  );
  const width = Math.max(...usages.map((usage) => usage.length)) + 2;
  const blank = " ".repeat(width);
  const settings = SETTINGS.map(({ variable, defaultText, help }, index) =>
    `  ${usages[index]?.padEnd(width)}${help}\n  ${blank}${variable} (default: ${defaultText})`
  );
  return `graphql-rooms ${version}: realtime rooms over GraphQL subscriptions

Usage: deno task start [flags]

Each flag has an environment variable, named below it. The flag wins; an empty
variable counts as unset.

${settings.join("\n")}
  ${"-h, --help".padEnd(width)}show this and exit
  ${"--version".padEnd(width)}show the version and exit

Exit codes: 0 stopped as asked, 1 could not listen or stop, 2 a flag or variable
that cannot be used.
`;
}
