/** Where to run a command. */
export interface RunCommandOptions {
  /** @default the folder of this process */
  readonly cwd?: string;
}

/** Runs a command to its end; returns what it wrote to stdout, trimmed. Throws when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: RunCommandOptions = {},
): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { ...options, args: [...args], stderr: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot run ${[command, ...args].join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}
