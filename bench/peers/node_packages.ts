import { runCommand } from "./run_command.ts";
import { findFreePort, type ServerProcess, startServerProcess } from "./server_process.ts";

const FOLDER = new URL("./", import.meta.url).pathname;
const SERVERS = new URL("./servers/", import.meta.url).pathname;

/** Installs the packages of the peers when another version, or none, is there. */
export async function installPackages(): Promise<void> {
  const wanted = await readWantedVersions();
  if (await findWrongPackage(wanted) === undefined) return;
  await runCommand("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: FOLDER });
  const wrong = await findWrongPackage(wanted);
  if (wrong !== undefined) throw new Error(`Cannot use ${wrong}: package.json says ${wanted[wrong]}`);
}

/** The packages with their versions, for the machine line: `ws 8.0.0 + graphql 16.0.0`. */
export async function describePackages(names: readonly string[]): Promise<string> {
  const wanted = await readWantedVersions();
  return names.map((name) => `${name} ${wanted[name]}`).join(" + ");
}

/** Such as `Node 20.0.0`. */
export async function describeNode(): Promise<string> {
  const version = await runCommand("node", ["--version"]);
  // Where there is no Node, Deno answers for it: its figures would stand under another's name.
  if (!version.startsWith("v")) throw new Error("Cannot run servers for Node: there is no node on this machine");
  return `Node ${version.slice(1)}`;
}

/** Starts one of the scripts of `servers/` on Node, with more in its environment where it needs that. */
export function startOnNode(script: string, more: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const port = findFreePort();
  const env = { ...formatEnvironment(port), ...more };
  return startServerProcess({ command: "node", args: [`${SERVERS}${script}`], port, env });
}

/** Starts one of the scripts of `servers/` on Deno, which finds the packages where npm has put them. */
export function startOnDeno(script: string): Promise<ServerProcess> {
  const port = findFreePort();
  // The project's own configuration forbids a node_modules folder, and its lock file is not for peers.
  const isolation = ["--no-config", "--no-lock", "--node-modules-dir=manual"];
  return startServerProcess({
    command: Deno.execPath(),
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", ...isolation, `${SERVERS}${script}`],
    port,
    env: formatEnvironment(port),
  });
}

function formatEnvironment(port: number): Record<string, string> {
  return { PORT: String(port), NODE_ENV: "production" };
}

async function readWantedVersions(): Promise<Readonly<Record<string, string>>> {
  return JSON.parse(await Deno.readTextFile(`${FOLDER}package.json`)).dependencies;
}

async function findWrongPackage(wanted: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const [name, version] of Object.entries(wanted)) {
    if (await readInstalledVersion(name) !== version) return name;
  }
  return undefined;
}

async function readInstalledVersion(name: string): Promise<string | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${FOLDER}node_modules/${name}/package.json`)).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
