import { cServer } from "./c_server.ts";
import { graphqlRooms } from "./graphql_rooms.ts";
import { yogaOnDeno, yogaOnNode } from "./graphql_yoga.ts";
import { mercurius } from "./mercurius.ts";
import type { Peer } from "./peer.ts";
import { rawWs } from "./raw_ws.ts";
import { socketIo } from "./socket_io.ts";

/** Every server, by its word for `--peers`, in the order they run. */
export const PEERS: ReadonlyMap<string, Peer> = new Map([
  ["graphql-rooms", graphqlRooms],
  ["socket.io", socketIo],
  ["c", cServer],
  ["yoga-deno", yogaOnDeno],
  ["yoga-node", yogaOnNode],
  ["mercurius", mercurius],
  ["ws", rawWs],
]);

/** Those that a quick run takes: whom the floors and goals are about. */
export const QUICK_PEERS: readonly Peer[] = [graphqlRooms, socketIo, cServer, yogaOnDeno];

/** Whom the others are compared with, where they ran. */
export const BASELINES: readonly Peer[] = [socketIo, cServer, yogaOnDeno];
