// Rooms on bare ws: a Map of Sets, one text for all, as the broadcast of its documentation.
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { WebSocket, WebSocketServer } from "ws";

// Each message without a context, as graphql-rooms sends it, and as hard as that compresses.
const PER_MESSAGE_DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: 1024,
  zlibDeflateOptions: { level: 3 },
};

const rooms = new Map();
const server = new WebSocketServer({
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  perMessageDeflate: process.env.COMPRESSION === "on" ? PER_MESSAGE_DEFLATE : false,
  clientTracking: false,
});

server.on("connection", (client) => {
  const senderId = randomUUID();
  const joined = new Set();
  client.on("error", console.error);
  client.on("message", (data) => {
    const { t, room, content } = JSON.parse(data);
    if (t === "sub") {
      join(room, client);
      joined.add(room);
    } else if (t === "pub") {
      publish(room, { t: "msg", id: randomUUID(), senderId, content, timestamp: new Date().toISOString() });
    }
    client.send(JSON.stringify({ t }));
  });
  client.on("close", () => joined.forEach((room) => leave(room, client)));
});

function join(room, client) {
  const clients = rooms.get(room);
  if (clients === undefined) rooms.set(room, new Set([client]));
  else clients.add(client);
}

function leave(room, client) {
  const clients = rooms.get(room);
  clients.delete(client);
  if (clients.size === 0) rooms.delete(room);
}

function publish(room, message) {
  const text = Buffer.from(JSON.stringify(message));
  for (const client of rooms.get(room) ?? []) {
    if (client.readyState === WebSocket.OPEN) client.send(text, { binary: false });
  }
}
