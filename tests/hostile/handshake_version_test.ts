import { Buffer } from "node:buffer";
import { assertMatch } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { RawSocket, UPGRADE } from "../support/raw_socket.ts";

const VERSION = "Sec-WebSocket-Version: 13\r\n";
const REFUSED = [
  "",
  "0",
  "7",
  "8",
  "12",
  "14",
  "x",
  "13.0",
  "+13",
  "0x0d",
  "13, 8",
  "8, 13",
  "-13",
  "013",
  "13;",
  "१३",
];

for (const version of REFUSED) {
  Deno.test(`an upgrade with the WebSocket version ${JSON.stringify(version)} is answered 426 and the right one`, async () => {
    await using server = await startLocalServer();
    const socket = await RawSocket.connect(server.port);

    await socket.send(UPGRADE.replace(VERSION, `Sec-WebSocket-Version: ${Buffer.from(version).toString()}\r\n`));

    await socket.until(/^HTTP\/1\.1 426 Upgrade Required\r\n(?:.+\r\n)*Sec-WebSocket-Version: 13\r\n/);
    await socket.closed;
  });
}

Deno.test("an upgrade without a WebSocket version is answered 426", async () => {
  await using server = await startLocalServer();
  const socket = await RawSocket.connect(server.port);

  await socket.send(UPGRADE.replace(VERSION, ""));

  await socket.until(/^HTTP\/1\.1 426 /);
  await socket.closed;
});

Deno.test("an upgrade with two WebSocket versions is answered 426", async () => {
  await using server = await startLocalServer();
  const socket = await RawSocket.connect(server.port);

  await socket.send(UPGRADE.replace(VERSION, `${VERSION}Sec-WebSocket-Version: 8\r\n`));

  await socket.until(/^HTTP\/1\.1 426 /);
  await socket.closed;
  assertMatch(String((await server.query("{ server { connections } }")).data.server.connections), /^0$/);
});
