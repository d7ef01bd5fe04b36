import { describeNode, describePackages, installPackages, startOnNode } from "./node_packages.ts";
import type { Peer } from "./peer.ts";
import { publishPlainly, subscribePlainly } from "./plain_rooms.ts";

/** Bare ws on Node: what a server costs that is nothing but rooms. */
export const rawWs: Peer = {
  name: "ws",
  path: "/",
  async prepare() {
    await installPackages();
    return `${await describePackages(["ws"])} on ${await describeNode()}`;
  },
  start: () => startOnNode("ws.js"),
  subscribe: subscribePlainly,
  publish: publishPlainly,
};

/** The same with the compression that ws has: each message for each connection. */
export const rawWsCompressed: Peer = {
  ...rawWs,
  name: "ws, compressed",
  compresses: true,
  start: () => startOnNode("ws.js", { COMPRESSION: "on" }),
};
