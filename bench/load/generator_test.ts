import { assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Peer } from "../peers/peer.ts";
import { publishPlainly, subscribePlainly } from "../peers/plain_rooms.ts";
import { LoadGenerator } from "./generator.ts";

/** What a server does to the deliveries of one message to one subscriber. */
type Fault = (texts: readonly string[]) => readonly string[];

const MESSAGES = 20;
const SUBSCRIBERS = 3;
const DELIVERIES = MESSAGES * SUBSCRIBERS;
const FAULTS: readonly (readonly [name: string, fault: Fault, message: string])[] = [
  ["repeats a delivery", (texts) => [...texts, ...texts], "comes next"],
  ["loses a delivery", () => [], "comes next"],
  ["changes a content", (texts) => texts.map((text) => text.replace("..", ".!")), "was not published like this"],
  ["names another room", (texts) => texts.map((text) => text.replace("00000:", "00001:")), "is not subscribed to"],
];
const PLAIN: Peer = {
  name: "test server",
  path: "/",
  prepare: () => Promise.resolve("test"),
  start: () => Promise.reject(new Error("It runs in this process")),
  subscribe: subscribePlainly,
  publish: publishPlainly,
};
const COMPRESSED: Peer = { ...PLAIN, compresses: true };

Deno.test("generator counts every delivery of a server that does nothing wrong", async () => {
  const { deliveries, messages, deflated } = await load(PLAIN);
  assertEquals({ deliveries, messages, deflated }, { deliveries: DELIVERIES, messages: MESSAGES, deflated: 0 });
});

Deno.test("generator counts what came compressed", async () => {
  const { deliveries, deflated } = await load(COMPRESSED);
  assertEquals({ deliveries, deflated }, { deliveries: DELIVERIES, deflated: DELIVERIES });
});

Deno.test("generator counts nothing as compressed of a server that agrees to compress and does not", async () => {
  const { deliveries, deflated } = await load(COMPRESSED, { threshold: Infinity });
  assertEquals({ deliveries, deflated }, { deliveries: DELIVERIES, deflated: 0 });
});

Deno.test("generator fails at a server that does not agree to compress", async () => {
  await assertRejects(() => load(COMPRESSED, { agrees: false }), Error, "the server chose extensions");
});

for (const [name, fault, message] of FAULTS) {
  Deno.test(`generator fails at a server that ${name}`, async () => {
    await assertRejects(() => load(PLAIN, { fault }), Error, message);
  });

  Deno.test(`generator fails at a server that ${name}, compressed`, async () => {
    await assertRejects(() => load(COMPRESSED, { fault }), Error, message);
  });
}

interface ServeOptions {
  /** Committed at one subscriber, once, in the midst of the messages. */
  readonly fault?: Fault;
  /** Bytes from which it compresses. */
  readonly threshold?: number;
  /** Whether it agrees to compress where that is offered. */
  readonly agrees?: boolean;
}

async function load(peer: Peer, options: ServeOptions = {}) {
  await using server = await serve(options);
  using generator = await LoadGenerator.open({ peer, server, subscribersPerRoom: SUBSCRIBERS });
  return await generator.load({ inFlight: 4, until: { messages: MESSAGES } });
}

async function serve({ fault = (texts) => texts, threshold = 0, agrees = true }: ServeOptions) {
  const subscribers: WebSocket[] = [];
  let published = 0;
  const publish = (content: string) => {
    const text = JSON.stringify({ t: "msg", content });
    const isFaulty = ++published === MESSAGES / 2;
    for (const [index, socket] of subscribers.entries()) {
      for (const one of isFaulty && index === 1 ? fault([text]) : [text]) socket.send(one);
    }
  };
  const perMessageDeflate = agrees && { serverNoContextTakeover: true, threshold };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate });
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const { t, content } = JSON.parse(data.toString());
      if (t === "sub") subscribers.push(socket);
      if (t === "pub") publish(content);
      socket.send(JSON.stringify({ t }));
    });
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  return { pid: Deno.pid, port, [Symbol.asyncDispose]: stop };
}
