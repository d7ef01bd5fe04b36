import type { Peer } from "./peer.ts";
import { publishPlainly, subscribePlainly } from "./plain_rooms.ts";
import { runCommand } from "./run_command.ts";
import { findFreePort, startServerProcess } from "./server_process.ts";

const COMPILER = "cc";
const SOURCE = new URL("./servers/c_server.c", import.meta.url).pathname;
const FOLDER = new URL("./build/", import.meta.url).pathname;
const BINARY = `${FOLDER}c_server`;

/** A server in C, one send() for each delivery: what the kernel alone costs, nearly. */
export const cServer: Peer = {
  name: "C, epoll",
  path: "/",
  async prepare() {
    const version = await findCompiler();
    await Deno.mkdir(FOLDER, { recursive: true });
    await runCommand(COMPILER, ["-O2", "-o", BINARY, SOURCE]);
    return `C by ${COMPILER} ${version}`;
  },
  start() {
    const port = findFreePort();
    return startServerProcess({ command: BINARY, args: [], port, env: { PORT: String(port) } });
  },
  subscribe: subscribePlainly,
  publish: publishPlainly,
};

async function findCompiler(): Promise<string> {
  try {
    return await runCommand(COMPILER, ["-dumpversion"]);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(`Cannot build the server in C: there is no ${COMPILER} on this machine`, { cause });
  }
}
