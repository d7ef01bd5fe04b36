import { GRAPHQL_TRANSPORT_WS, publishWith, subscribeWith } from "./graphql_transport_ws.ts";
import { describeNode, describePackages, installPackages, startOnNode } from "./node_packages.ts";
import type { Peer } from "./peer.ts";
import { MESSAGES, SEND_MESSAGE } from "./room_operations.ts";

/** Mercurius on Node, with everything over the WebSocket. */
export const mercurius: Peer = {
  name: "Mercurius",
  path: "/graphql",
  subprotocol: GRAPHQL_TRANSPORT_WS,
  async prepare() {
    await installPackages();
    return `${await describePackages(["mercurius", "fastify", "graphql", "ws"])} on ${await describeNode()}`;
  },
  start: () => startOnNode("mercurius.js"),
  subscribe: (rooms) => subscribeWith(MESSAGES, rooms),
  publish: () => publishWith(SEND_MESSAGE),
};
