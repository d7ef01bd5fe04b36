import { assertEquals, assertLess } from "@std/assert";
import { WebSocket } from "ws";
import { HOSTILE_TEXTS } from "../support/hostile_texts.ts";
import { RawSocket } from "../support/raw_socket.ts";
import { type LogLine, ServerProcess } from "../support/server_process.ts";

const FORGED = [
  `\n{"event":"forged","level":"ERROR","fields":{}}\n`,
  `"},"event":"forged","x":{"y":"`,
  "\u2028forged\u2029",
  "\u001b[2K\rforged",
  "x".repeat(4_000),
  ...HOSTILE_TEXTS,
];
/** What may stand in a header without ending it. */
const IN_HEADERS = FORGED.map((text) => text.replace(/[\r\n\0]/g, "")).filter((text) => text.trim() !== "");
const FLOOD = 1_000;
/** On so many connections at a time, so many at once on each. */
const CONNECTIONS = 50;
const AT_ONCE = 4;

Deno.test("log injection: one event is one line of JSON, whatever a peer calls itself, asks for or says", async () => {
  await using server = await ServerProcess.start("--log-level", "debug");

  // In the path, the Host, the Origin and elsewhere.
  for (const text of IN_HEADERS) {
    for (const [path, host, origin] of [[text, "localhost", ""], ["/", text, ""], ["/", "localhost", text]] as const) {
      const peer = await RawSocket.connect(server.port);
      const lines = [`GET /${encodeURI(path!.toWellFormed()).replaceAll("%20", "+")} HTTP/1.1`, `Host: ${host}`];
      if (origin !== "") lines.push(`Origin: ${origin}`);
      await peer.send(
        [...lines, `User-Agent: ${text}`, `X-User-Id: ${text}`, "Connection: close", "\r\n"].join("\r\n"),
      );
      await peer.closed;
    }
  }
  // In what a client says when it goes.
  let said = 0;
  for (const text of FORGED) {
    const reason = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, 100)).replace(/\ufffd+$/, "");
    const socket = new WebSocket(server.webSocketUrl, "graphql-transport-ws");
    await new Promise((resolve) => socket.once("open", resolve));
    socket.close(4_000 + said, reason);
    const { fields } = await server.logged("connection.closed", isClose(4_000 + said));
    assertEquals(fields["reason"] ?? "", reason);
    said++;
  }

  // Each line was JSON, or reading it would have failed; none was of somebody else's making.
  server.kill("SIGTERM");
  assertEquals(await server.ended(), 0);
  assertEquals(server.untaken("forged"), undefined);
});

Deno.test(`log flood: ${FLOOD} refusals with 4 KB of headers each cost the disk little`, async () => {
  await using server = await ServerProcess.start();
  const before = server.logBytes;
  const beganMs = performance.now();
  const request = `GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://${"evil.".repeat(800)}example\r\n\r\n`;

  await flood(server, (_made, more) => request.replace("\r\n\r\n", `\r\n${more}\r\n`));

  // A burst of 100, then 10 a second, at most 2 KB and a bit each.
  const seconds = (performance.now() - beganMs) / 1_000;
  assertLess(server.logBytes - before, (100 + 10 * (seconds + 1)) * 2_500);
});

Deno.test(`log flood: ${FLOOD} refusals, each for something else that the client made up, cost the disk little`, async () => {
  await using server = await ServerProcess.start();
  const before = server.logBytes;
  const beganMs = performance.now();
  const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n";

  await flood(server, (made, more) => `${head}${more}Content-Type: evil/${made}${"-".repeat(3_000)}\r\n\r\n`);

  const seconds = (performance.now() - beganMs) / 1_000;
  const written = server.logBytes - before;
  assertLess(written, (100 + 10 * (seconds + 1)) * 2_500);
  // They were refused for that, and not for being many.
  assertLess(100 * 2_000, written);
});

/** Sends so many requests, as many at once on each connection as may wait for their turn there. */
async function flood(server: ServerProcess, requestOf: (made: number, more: string) => string): Promise<void> {
  for (let sent = 0; sent < FLOOD; sent += CONNECTIONS * AT_ONCE) {
    await Promise.all(Array.from({ length: CONNECTIONS }, async (_, at) => {
      const peer = await RawSocket.connect(server.port);
      const requests = Array.from(
        { length: AT_ONCE },
        (_, index) => requestOf(sent + at * AT_ONCE + index, index === AT_ONCE - 1 ? "Connection: close\r\n" : ""),
      );
      await peer.send(...requests);
      await peer.closed;
    }));
  }
}

function isClose(code: number): (line: LogLine) => boolean {
  return ({ fields }) => fields["code"] === code;
}
