import { createRooms, type RoomsServer } from "./create_rooms.ts";
import { describeError, type Telemetry } from "./core/telemetry.ts";
import { formatHelp } from "./help.ts";
import { catchUnhandled } from "./last_resort.ts";
import { DEFAULTS, type RoomsOptions } from "./options.ts";
import { type Command, readSettings, SettingsError, type StartCommand } from "./settings.ts";
import { createLog } from "./telemetry/log.ts";
import { createSampled } from "./telemetry/sampled.ts";
import { VERSION } from "./version.ts";

/** What a listener's error code means, and what to do about it. */
const LISTEN_ERRORS: ReadonlyMap<unknown, string> = new Map([
  ["EADDRINUSE", "the port is in use (choose another with --port)"],
  ["EACCES", "this user may not listen there (choose a port above 1023 with --port)"],
  ["EADDRNOTAVAIL", "no such address on this machine (choose another with --host)"],
  // What Deno makes of EADDRNOTAVAIL.
  ["EINVAL", "no such address on this machine (choose another with --host)"],
  ["ENOTFOUND", "no such address on this machine (choose another with --host)"],
]);
/**
 * How long the first signal's echo may take, in milliseconds: a terminal sends Ctrl-C to
 * every process of its group, and `deno task` hands on its own, so the server gets two.
 */
const ECHO_MS = 300;
const SIGNALS = [["SIGINT", 2], ["SIGTERM", 15]] as const;

await main();

async function main(): Promise<void> {
  const isTerminal = Deno.stdout.isTerminal();
  const command = readCommand(isTerminal);
  if (command.kind !== "start") {
    return print(command.kind === "help" ? formatHelp(VERSION) : `graphql-rooms ${VERSION}\n`);
  }
  const { log } = command;
  const options = readKeyFile(command);
  giveUpFiles();
  const telemetry = createSampled(createLog({
    ...log,
    write: print,
    colors: isTerminal && !Deno.noColor,
    fields: options.nodeId === undefined ? {} : { node: options.nodeId },
  }));
  const server = createRooms({ ...options, telemetry });
  catchUnhandled({
    telemetry,
    onUnhandled: (count) => server.degrade(`errors that nobody caught: ${count}`),
  });
  const url = await listen(server, options);
  stopOnSignals(server, telemetry);
  announce(url, command, telemetry);
}

function readCommand(isTerminal: boolean): Command {
  try {
    return readSettings({ args: Deno.args, variable: (name) => Deno.env.get(name), isTerminal });
  } catch (error) {
    if (error instanceof SettingsError) fail(error.message, 2);
    throw error;
  }
}

/** The options, with the public keys where they are in a file. */
function readKeyFile({ options, keyFile }: StartCommand): RoomsOptions {
  if (keyFile === undefined) return options;
  try {
    const publicKeys = Deno.readTextFileSync(keyFile);
    if (publicKeys === "") throw new Error("it is empty");
    return { ...options, auth: { ...options.auth, jwt: { ...options.auth?.jwt, publicKeys } } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail(`Cannot read the key file ${JSON.stringify(keyFile)}: ${reason}`, 2);
  }
}

/** Everything there was to read has been read: what comes later cannot. */
function giveUpFiles(): void {
  Deno.permissions.revokeSync({ name: "read" });
}

async function listen(server: RoomsServer, { server: { host, port } = {} }: RoomsOptions): Promise<string> {
  try {
    return (await server.listen()).url;
  } catch (error) {
    // What the settings' own checks could not tell, the keys in a file for one.
    if (error instanceof TypeError) fail(error.message, 2);
    if (!(error instanceof Error && "code" in error)) throw error;
    const reason = LISTEN_ERRORS.get(error.code) ?? error.message;
    const { host: defaultHost, port: defaultPort } = DEFAULTS.server;
    fail(`Cannot listen on ${formatAddress(host ?? defaultHost, port ?? defaultPort)}: ${reason}`, 1);
  }
}

/** Stops at the first signal, and exits at the second whatever is still open. */
function stopOnSignals(server: RoomsServer, telemetry: Telemetry): void {
  let first: { readonly signal: string; readonly atMs: number } | undefined;
  for (const [signal, number] of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (first !== undefined) {
        if (signal !== first.signal || performance.now() - first.atMs > ECHO_MS) Deno.exit(128 + number);
        return;
      }
      first = { signal, atMs: performance.now() };
      telemetry.record("info", "server.stopping", { signal });
      server.stop().then(
        () => Deno.exit(0),
        (error: unknown) => {
          telemetry.record("error", "server.stop_failed", { error: describeError(error) });
          Deno.exit(1);
        },
      );
    });
  }
}

function announce(
  url: string,
  { log, options }: StartCommand,
  telemetry: Telemetry,
): void {
  if (log.format === "json") return telemetry.record("info", "server.listening", { url, version: VERSION });
  const page = options.server?.pages === false ? "" : `  Console    ${new URL("/", url).href}\n`;
  print(`graphql-rooms ${VERSION}

${page}  GraphQL    ${url}
  WebSocket  ${url.replace(/^http/, "ws")}
  Health     ${new URL("/health", url).href}

`);
}

function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Writes the whole text to stdout before it returns. */
function print(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

function fail(message: string, exitCode: number): never {
  console.error(message);
  Deno.exit(exitCode);
}
