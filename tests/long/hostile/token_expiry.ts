import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { WebSocket } from "ws";
import { startLocalServer } from "../../support/local_server.ts";
import { SECRET, signToken } from "../../support/tokens.ts";

const LEEWAY_MS = 1_000;
/** How late a socket may close, in milliseconds: a second for the answer to the last Ping, one for a busy machine. */
const TOLERANCE_MS = 2_000;
const SEND_EVERY_MS = 50;
/** So many connect at once. */
const BATCH = 50;

interface Ended {
  readonly code: number;
  readonly closedAtMs: number;
  readonly lastDeliveryAtMs: number;
}

/** A socket that follows a room, and its end. */
interface Following {
  readonly live: Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Subscribes with a token and listens until the server closes the socket. */
function follow(url: string, token: string): Following {
  const acknowledged = Promise.withResolvers<void>();
  const socket = new WebSocket(url, "graphql-transport-ws");
  let lastDeliveryAtMs = 0;
  socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload: { token } })));
  socket.on("message", (data: unknown) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === "next") lastDeliveryAtMs = Date.now();
    else if (type === "ping") socket.send(JSON.stringify({ type: "pong", payload }));
    else if (type === "connection_ack") {
      const query = `subscription { messages(room: "lobby") { content } }`;
      socket.send(JSON.stringify({ id: crypto.randomUUID(), type: "subscribe", payload: { query } }));
      acknowledged.resolve();
    }
  });
  socket.on("error", acknowledged.reject);
  const ended = new Promise<Ended>((resolve) => {
    socket.once("close", (code: number) => resolve({ code, closedAtMs: Date.now(), lastDeliveryAtMs }));
  });
  return { live: acknowledged.promise, ended };
}

for (const count of [100, 1_000]) {
  Deno.test(`${count} tokens that expire at once close their sockets soon, and bring nothing behind it`, async () => {
    await using server = await startLocalServer({
      auth: { jwt: { secret: SECRET, leewayMs: LEEWAY_MS } },
      limits: { connectionsPerAddress: 0 },
    });
    const exp = Math.floor(Date.now() / 1_000) + 3 + Math.ceil(count / 25);
    const endMs = exp * 1_000 + LEEWAY_MS;
    const service = await signToken({ sub: "service", exp: exp + 60 });
    const sends: Promise<string>[] = [];
    const timer = setInterval(() => {
      const query = `mutation { sendMessage(room: "lobby", content: "x") { success } }`;
      const headers = { "content-type": "application/json", authorization: service };
      sends.push(
        fetch(server.url, { method: "POST", headers, body: JSON.stringify({ query }) }).then((answer) => answer.text()),
      );
    }, SEND_EVERY_MS);
    using _timer = { [Symbol.dispose]: () => clearInterval(timer) };

    const ends: Promise<Ended>[] = [];
    while (ends.length < count) {
      const batch = await Promise.all(
        Array.from(
          { length: BATCH },
          async (_, at) => follow(server.webSocketUrl, await signToken({ sub: `u${ends.length + at}`, exp })),
        ),
      );
      ends.push(...batch.map(({ ended }) => ended));
      await Promise.all(batch.map(({ live }) => live));
    }
    const ended = await Promise.all(ends);
    clearInterval(timer);
    await Promise.all(sends);

    const closes = ended.map(({ closedAtMs }) => closedAtMs - endMs);
    const deliveries = ended.map(({ lastDeliveryAtMs }) => lastDeliveryAtMs - endMs);
    console.log(
      `closed ${Math.min(...closes)} to ${Math.max(...closes)} ms after the end, ` +
        `last delivery ${Math.max(...deliveries)} ms after it`,
    );
    assertEquals(new Set(ended.map(({ code }) => code)), new Set([4403]));
    assertGreaterOrEqual(Math.min(...closes), 0);
    assertLess(Math.max(...closes), TOLERANCE_MS);
    assertLess(Math.max(...deliveries), SEND_EVERY_MS);
  });
}
