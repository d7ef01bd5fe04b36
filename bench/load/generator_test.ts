import { assertEquals, assertRejects } from "@std/assert";
import type { Peer } from "../peers/peer.ts";
import { publishPlainly, subscribePlainly } from "../peers/plain_rooms.ts";
import { LoadGenerator } from "./generator.ts";

/** What a server does to the deliveries of one message to one subscriber. */
type Fault = (texts: readonly string[]) => readonly string[];

const MESSAGES = 20;
const SUBSCRIBERS = 3;
const FAULTS: readonly (readonly [name: string, fault: Fault, message: string])[] = [
  ["repeats a delivery", (texts) => [...texts, ...texts], "comes next"],
  ["loses a delivery", () => [], "comes next"],
  ["changes a content", (texts) => texts.map((text) => text.replace("..", ".!")), "was not published like this"],
  ["names another room", (texts) => texts.map((text) => text.replace("00000:", "00001:")), "is not subscribed to"],
];

Deno.test("generator counts every delivery of a server that does nothing wrong", async () => {
  const { deliveries, messages } = await load((texts) => texts);
  assertEquals({ deliveries, messages }, { deliveries: MESSAGES * SUBSCRIBERS, messages: MESSAGES });
});

for (const [name, fault, message] of FAULTS) {
  Deno.test(`generator fails at a server that ${name}`, async () => {
    await assertRejects(() => load(fault), Error, message);
  });
}

/** Loads a server which commits the fault at one subscriber, once, in the midst of the messages. */
async function load(fault: Fault) {
  await using server = serve(fault);
  using generator = await LoadGenerator.open({ peer: PEER, server, subscribersPerRoom: SUBSCRIBERS });
  return await generator.load({ inFlight: 4, until: { messages: MESSAGES } });
}

const PEER: Peer = {
  name: "test server",
  path: "/",
  prepare: () => Promise.resolve("test"),
  start: () => Promise.reject(new Error("It runs in this process")),
  subscribe: subscribePlainly,
  publish: publishPlainly,
};

function serve(fault: Fault) {
  const subscribers: WebSocket[] = [];
  let published = 0;
  const publish = (content: string) => {
    const text = JSON.stringify({ t: "msg", content });
    const isFaulty = ++published === MESSAGES / 2;
    for (const [index, socket] of subscribers.entries()) {
      for (const one of isFaulty && index === 1 ? fault([text]) : [text]) socket.send(one);
    }
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.addEventListener("message", ({ data }) => {
      const { t, content } = JSON.parse(data);
      if (t === "sub") subscribers.push(socket);
      if (t === "pub") publish(content);
      socket.send(JSON.stringify({ t }));
    });
    return response;
  });
  return { pid: Deno.pid, port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}
