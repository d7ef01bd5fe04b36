import { streamWith } from "./graphql_sse.ts";
import { GRAPHQL_TRANSPORT_WS, publishWith, subscribeWith } from "./graphql_transport_ws.ts";
import { describeNode, describePackages, installPackages, startOnDeno, startOnNode } from "./node_packages.ts";
import type { Peer } from "./peer.ts";
import { MESSAGES, SEND_MESSAGE } from "./room_operations.ts";

const SCRIPT = "yoga.js";
const PACKAGES = ["graphql-yoga", "graphql-ws", "graphql", "ws"];
/** Yoga's `graphqlEndpoint`, for WebSocket, for Server-Sent Events and for plain requests. */
const PATH = "/graphql";

/** What both have in common. */
const yoga = {
  path: PATH,
  subprotocol: GRAPHQL_TRANSPORT_WS,
  subscribe: (rooms) => subscribeWith(MESSAGES, rooms),
  publish: () => publishWith(SEND_MESSAGE),
  stream: (room) => streamWith(PATH, MESSAGES, { room }),
} satisfies Partial<Peer>;

/** Stock GraphQL Yoga and graphql-ws on Node. */
export const yogaOnNode: Peer = {
  ...yoga,
  name: "Yoga, Node",
  async prepare() {
    await installPackages();
    return `${await describePackages(PACKAGES)} on ${await describeNode()}`;
  },
  start: () => startOnNode(SCRIPT),
};

/** The same on Deno: node:http and ws, for the adapter of graphql-ws for Deno closes every client at once. */
export const yogaOnDeno: Peer = {
  ...yoga,
  name: "Yoga, Deno",
  async prepare() {
    await installPackages();
    return `${await describePackages(PACKAGES)} on Deno ${Deno.version.deno}`;
  },
  start: () => startOnDeno(SCRIPT),
};
