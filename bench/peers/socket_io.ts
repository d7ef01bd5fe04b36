import { describeNode, describePackages, installPackages, startOnNode } from "./node_packages.ts";
import type { Dialogue, Heard, Peer } from "./peer.ts";

/** Socket.IO on Node, speaking Engine.IO 4 by hand. */
export const socketIo: Peer = {
  name: "Socket.IO",
  path: "/socket.io/?EIO=4&transport=websocket",
  async prepare() {
    await installPackages();
    return `${await describePackages(["socket.io"])} on ${await describeNode()}`;
  },
  start: () => startOnNode("socket_io.js"),
  subscribe: (rooms) => ({ ...converse(rooms), mark: "" }),
  publish: () => ({
    ...converse([]),
    send: (room, content) => formatEvent(SEND_ID, ["send", room, content]),
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

/** Joins the rooms once connected; ready when each join is acknowledged, or at once without any. */
function converse(rooms: readonly string[]): Dialogue {
  let unjoined = rooms.length;
  return {
    opening: undefined,
    hear(text) {
      if (text.startsWith(PACKETS.open)) return { kind: "nothing", reply: [PACKETS.connect] };
      if (text === PACKETS.ping) return { kind: "nothing", reply: [PACKETS.pong] };
      if (text.startsWith(PACKETS.connect)) {
        const reply = rooms.map((room) => formatEvent(JOIN_ID, ["join", room]));
        return { kind: rooms.length === 0 ? "ready" : "nothing", reply };
      }
      if (text.startsWith(PACKETS.acknowledgement)) {
        if (readAcknowledgedId(text) !== JOIN_ID) return { kind: "published" };
        return { kind: --unjoined === 0 ? "ready" : "nothing" };
      }
      if (text.startsWith(PACKETS.event)) return hearEvent(text);
      throw unexpected(text);
    },
  };
}

function readAcknowledgedId(text: string): number {
  const [, id, json = ""] = text.match(/^43(\d+)(.*)$/) ?? [];
  const [answer] = JSON.parse(json);
  if (answer?.success !== true) throw unexpected(text);
  return Number(id);
}

function hearEvent(text: string): Heard {
  const [event, message] = JSON.parse(text.slice(PACKETS.event.length));
  if (event !== "message" || typeof message?.content !== "string") throw unexpected(text);
  return { kind: "delivery", content: message.content };
}

function formatEvent(id: number, event: readonly string[]): string {
  return `${PACKETS.event}${id}${JSON.stringify(event)}`;
}

function unexpected(text: string): Error {
  return new Error(`Cannot accept what the server said: ${text}`);
}
