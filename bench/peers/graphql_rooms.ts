import { VERSION } from "../../src/version.ts";
import { GRAPHQL_TRANSPORT_WS, publishWith, subscribeWith } from "./graphql_transport_ws.ts";
import type { Peer } from "./peer.ts";
import { findFreePort, startServerProcess } from "./server_process.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const MESSAGES = "subscription ($room: ID!) { messages(room: $room) { id senderId content timestamp } }";
const SEND_MESSAGE =
  "mutation ($room: ID!, $content: String!) { sendMessage(room: $room, content: $content) { success } }";

/** This project's server, with its defaults and the permissions it needs. */
export const graphqlRooms: Peer = {
  name: "graphql-rooms",
  path: "/graphql",
  subprotocol: GRAPHQL_TRANSPORT_WS,
  prepare: () => Promise.resolve(`graphql-rooms ${VERSION} on Deno ${Deno.version.deno}`),
  start() {
    const port = findFreePort();
    const permissions = ["--no-prompt", "--allow-net", "--allow-env"];
    return startServerProcess({
      command: Deno.execPath(),
      args: ["run", ...permissions, MAIN, "--port", String(port), "--log-level", "warn"],
      port,
    });
  },
  subscribe: (room) => subscribeWith({ query: MESSAGES, room, field: "messages" }),
  publish: (room) => publishWith({ query: SEND_MESSAGE, room, field: "sendMessage" }),
};
