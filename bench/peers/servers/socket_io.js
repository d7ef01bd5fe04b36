// The Socket.IO server of the fan-out bench: rooms as its documentation writes them,
// tuned as its page "Performance tuning" advises where that touches outgoing frames.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";

const httpServer = createServer();
const io = new Server(httpServer, {
  transports: ["websocket"],
  allowUpgrades: false,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.on("join", (room, acknowledge) => {
    socket.join(room);
    acknowledge({ success: true });
  });
  socket.on("send", (room, content, acknowledge) => {
    const message = { id: randomUUID(), senderId: socket.id, content, timestamp: new Date().toISOString() };
    io.to(room).emit("message", message);
    acknowledge({ success: true });
  });
});

httpServer.listen(Number(process.env.PORT), "127.0.0.1");
