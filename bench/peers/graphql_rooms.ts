import { VERSION } from "../../src/version.ts";
import { streamWith } from "./graphql_sse.ts";
import { GRAPHQL_TRANSPORT_WS, publishWith, subscribeWith } from "./graphql_transport_ws.ts";
import type { Peer } from "./peer.ts";
import { MESSAGES, SEND_MESSAGE } from "./room_operations.ts";
import { createToken, TOKEN_SECRET } from "./token.ts";
import { findFreePort, type ServerProcess, startServerProcess } from "./server_process.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const PATH = "/graphql";

/** All the load comes from one address, and much of it from one user, who may not be told to wait. */
const NO_LIMITS = ["--rate-limit", "1000000", "--max-connections-per-address", "0"];
let users = 0;

/**
 * This project's server, with its defaults but for the limits, and the permissions it needs.
 *
 * It asks for tokens: each connection is a user's.
 */
export const graphqlRooms: Peer = {
  name: "graphql-rooms",
  path: PATH,
  subprotocol: GRAPHQL_TRANSPORT_WS,
  prepare: () => Promise.resolve(`graphql-rooms ${VERSION} on Deno ${Deno.version.deno}`),
  start: () => start(),
  subscribe: (rooms) => subscribeWith(MESSAGES, rooms, nextToken()),
  publish: () => publishWith(SEND_MESSAGE, nextToken()),
  stream: (room) => streamWith(PATH, MESSAGES, { room, token: nextToken() }),
};

/** The same server with `--compression`, to connections that want it. */
export const graphqlRoomsCompressed: Peer = {
  ...graphqlRooms,
  name: "graphql-rooms, compressed",
  compresses: true,
  start: () => start("--compression"),
};

function start(...flags: readonly string[]): Promise<ServerProcess> {
  const port = findFreePort();
  const permissions = ["--no-prompt", "--allow-net", "--allow-env"];
  return startServerProcess({
    command: Deno.execPath(),
    args: ["run", ...permissions, MAIN, "--port", String(port), "--log-level", "warn", ...NO_LIMITS, ...flags],
    port,
    env: { JWT_SECRET: TOKEN_SECRET },
  });
}

function nextToken(): string {
  return createToken(`user-${users++}`);
}
