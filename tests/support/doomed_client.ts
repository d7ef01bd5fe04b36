import { RawSocket } from "./raw_socket.ts";
import { STALLED_KINDS, stalledReader } from "./stalled_readers.ts";

// Subscribes so often in each way, then waits to be killed: for a process of its own.
const [port, count, room = "lobby", host] = Deno.args as [string, string, string?, string?];
const JOINING = `subscription { messages(room: "${room}", join: true) { content } }`;
const sockets: RawSocket[] = [];
for (const kind of STALLED_KINDS) {
  for (let opened = 0; opened < Number(count); opened++) {
    sockets.push(await stalledReader(kind, Number(port), JOINING, host));
  }
}
console.log("ready");
await Promise.all(sockets.map((socket) => socket.closed));
