import { assertEquals } from "@std/assert";
import { WebSocket } from "ws";
import { EVENTS_IN_FULL, JOIN } from "../support/documents.ts";
import { ServerProcess } from "../support/server_process.ts";
import { StockClient } from "../support/stock_client.ts";

const PROTOCOL = "graphql-transport-ws";

Deno.test("the server pings each socket, and keeps one that answers", async () => {
  await using server = await ServerProcess.start("--ping-seconds", "0.05");
  const socket = new WebSocket(server.webSocketUrl, PROTOCOL);
  socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
  let pings = 0;

  await new Promise<void>((resolve) =>
    socket.on("ping", () => {
      if (++pings === 5) resolve();
    })
  );

  assertEquals(socket.readyState, WebSocket.OPEN);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.close();
  await closed;
});

Deno.test("a socket silent for two pings is ended, and its user leaves with TIMEOUT", async () => {
  await using server = await ServerProcess.start("--ping-seconds", "0.2", "--leave-grace-seconds", "0");
  await using watcher = StockClient.as("bob", server.webSocketUrl);
  const events = watcher.subscribe(EVENTS_IN_FULL, { room: "lobby" });
  await watcher.settled();
  const silent = new WebSocket(server.webSocketUrl, PROTOCOL, { autoPong: false });
  silent.on("open", () => silent.send(JSON.stringify({ type: "connection_init", payload: { userId: "ann" } })));
  silent.once("message", () => {
    const payload = { query: JOIN, variables: { room: "lobby" } };
    silent.send(JSON.stringify({ id: "1", type: "subscribe", payload }));
  });

  const closed = new Promise<number>((resolve) => silent.once("close", resolve));

  assertEquals((await events.nextField()).type, "JOINED");
  assertEquals(await closed, 1006);
  const { type, userId, reason } = await events.nextField();
  assertEquals([type, userId, reason], ["LEFT", "ann", "TIMEOUT"]);
  const { fields } = await server.logged("connection.closed", (line) => line.fields.userId === "ann");
  assertEquals(fields.cause, "TIMEOUT");
});
