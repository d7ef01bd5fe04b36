import type { Dialogue, Heard, Peer } from "./peer.ts";
import { findFreePort, startServerProcess } from "./server_process.ts";

const FOLDER = new URL("./socket_io/", import.meta.url).pathname;

/** Socket.IO on Node, speaking Engine.IO 4 by hand. Its package.json says which version. */
export const socketIo: Peer = {
  name: "Socket.IO",
  path: "/socket.io/?EIO=4&transport=websocket",
  async prepare() {
    const { dependencies } = JSON.parse(await Deno.readTextFile(`${FOLDER}package.json`));
    const wanted: string = dependencies["socket.io"];
    if (await readInstalledVersion() !== wanted) {
      await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
      const installed = await readInstalledVersion();
      if (installed !== wanted) throw new Error(`Cannot use socket.io ${installed}: package.json says ${wanted}`);
    }
    return `Socket.IO ${wanted} on Node ${(await run("node", ["--version"])).replace("v", "")}`;
  },
  start() {
    const port = findFreePort();
    return startServerProcess({
      command: "node",
      args: [`${FOLDER}server.js`],
      port,
      env: { PORT: String(port), NODE_ENV: "production" },
    });
  },
  subscribe: (room) => ({
    ...converse({ onConnected: () => formatEvent(JOIN_ID, ["join", room]) }),
    mark: "",
  }),
  publish: (room) => ({
    ...converse({}),
    send: (content) => formatEvent(SEND_ID, ["send", room, content]),
  }),
};

/**
 * Packets by their prefix: the first digit is Engine.IO's (0 open, 2 ping, 3 pong,
 * 4 message), the second Socket.IO's (0 connect, 2 event, 3 acknowledgement).
 */
const PACKETS = { open: "0", ping: "2", pong: "3", connect: "40", event: "42", acknowledgement: "43" } as const;
/** Acknowledgement ids. Those of sends need not differ: each is counted, none is looked up. */
const JOIN_ID = 0;
const SEND_ID = 1;

interface ConverseOptions {
  /** What to say when connected, if anything; then it is ready when that is acknowledged. */
  readonly onConnected?: () => string;
}

function converse({ onConnected }: ConverseOptions): Dialogue {
  return {
    opening: undefined,
    hear(text) {
      if (text.startsWith(PACKETS.open)) return { kind: "nothing", reply: PACKETS.connect };
      if (text === PACKETS.ping) return { kind: "nothing", reply: PACKETS.pong };
      if (text.startsWith(PACKETS.connect)) {
        return onConnected === undefined ? { kind: "ready" } : { kind: "nothing", reply: onConnected() };
      }
      if (text.startsWith(PACKETS.acknowledgement)) return hearAcknowledgement(text);
      if (text.startsWith(PACKETS.event)) return hearEvent(text);
      throw unexpected(text);
    },
  };
}

function hearAcknowledgement(text: string): Heard {
  const [, id, json = ""] = text.match(/^43(\d+)(.*)$/) ?? [];
  const [answer] = JSON.parse(json);
  if (answer?.success !== true) throw unexpected(text);
  return { kind: Number(id) === JOIN_ID ? "ready" : "published" };
}

function hearEvent(text: string): Heard {
  const [event, message] = JSON.parse(text.slice(PACKETS.event.length));
  if (event !== "message" || typeof message?.content !== "string") throw unexpected(text);
  return { kind: "delivery", content: message.content };
}

function formatEvent(id: number, event: readonly string[]): string {
  return `${PACKETS.event}${id}${JSON.stringify(event)}`;
}

async function readInstalledVersion(): Promise<string | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${FOLDER}node_modules/socket.io/package.json`)).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { args: [...args], cwd: FOLDER, stderr: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot run ${[command, ...args].join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

function unexpected(text: string): Error {
  return new Error(`Cannot accept what the server said: ${text}`);
}
