import { assertEquals } from "@std/assert";
import type { RoomsOptions } from "../../src/options.ts";
import { createRooms } from "../../src/mod.ts";
import { FencedClient } from "../support/fenced_client.ts";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** Every mutation that does something, with nothing to wait for. */
const MUTATIONS = {
  sendMessage: `sendMessage(room: "lobby", content: "hi") { success }`,
  broadcast: `broadcast(room: "lobby", event: "tick") { success }`,
  joinRoom: `joinRoom(room: "lobby") { success }`,
  leaveRoom: `leaveRoom(room: "lobby") { success }`,
  setPresence: `setPresence(room: "lobby", state: 1) { member { userId } }`,
  removeFromRoom: `removeFromRoom(room: "lobby", userId: "bob") { success }`,
  disconnectUser: `disconnectUser(userId: "bob") { success }`,
};
const SEND = 'mutation ($key: String) { sendMessage(room: "lobby", content: "hi", idempotencyKey: $key) ' +
  "{ success duplicate } }";

async function open(options: RoomsOptions = {}) {
  const clock = new ManualClock();
  const server = await startLocalServer({ limits: { messagesPerSecond: 1 }, ...options }, clock);
  const connect = (userId: string) =>
    FencedClient.open(server.webSocketUrl, { init: { userId }, answers: true, onMessage() {} });
  /** The same over HTTP. */
  const post = async (userId: string, query: string, variables: Record<string, unknown> = {}) => {
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-user-id": userId, "x-session-id": "one" },
      body: JSON.stringify({ query, variables }),
    });
    return await response.json();
  };
  return { clock, server, connect, post };
}

for (const [name, field] of Object.entries(MUTATIONS)) {
  Deno.test(`${name} counts, and is RATE_LIMITED once too much has been changed, over WebSocket and HTTP`, async () => {
    const { clock, server, connect, post } = await open();
    await using _server = server;
    await using ann = await connect("ann");
    await ann.run(`mutation { ${MUTATIONS.joinRoom} }`);
    clock.advance(2_000);

    // On a loopback address everybody is an administrator: 20 times as much, and as much again at once.
    for (let sent = 0; sent < 39; sent++) await ann.run(SEND);
    await ann.run(`mutation { ${field} }`);
    clock.advance(500);
    const answers = [await ann.run(`mutation { ${field} }`), await post("ann", `mutation { ${field} }`)];

    for (const { errors: [{ extensions, path }] } of answers) {
      assertEquals(extensions, { code: "RATE_LIMITED", retryAfterMs: 1_500, limit: 20 });
      assertEquals(path, [name]);
    }
    clock.advance(1_500);
    assertEquals((await ann.run(SEND)).sendMessage.success, true);
  });
}

for (const transport of ["WebSocket", "HTTP"] as const) {
  Deno.test(`each mutation field of one document counts for itself, over ${transport}`, async () => {
    const { server, connect, post } = await open({ auth: { anonymous: true } });
    await using _server = server;
    await using ann = await connect("ann");
    const fields = Array.from({ length: 10 }, (_, index) => `m${index}: ${MUTATIONS.sendMessage}`);
    const document = `mutation { ${fields.join(" ")} }`;

    const { data, errors } = transport === "HTTP" ? await post("ann", document) : await ann.run(document);

    assertEquals(Object.values(data).filter((answer) => answer !== null).length, 2);
    assertEquals(
      errors.map(({ path }: { path: string[] }) => path[0]),
      fields.slice(2).map((field) => field.slice(0, 2)),
    );
    assertEquals(new Set(errors.map(codeOf)), new Set(["RATE_LIMITED"]));
  });
}

Deno.test("a repeat is not counted", async () => {
  const { server, connect } = await open({ auth: { anonymous: true } });
  await using _server = server;
  await using ann = await connect("ann");

  const sent = [];
  for (let time = 0; time < 20; time++) sent.push(await ann.run(SEND, { key: "first" }));
  const second = await ann.run(SEND, { key: "second" });
  const third = await ann.run(SEND, { key: "third" });

  assertEquals(sent.map(({ sendMessage }) => sendMessage.duplicate), [false, ...Array(19).fill(true)]);
  assertEquals(second, { sendMessage: { success: true, duplicate: false } });
  assertEquals(third.errors.map(codeOf), ["RATE_LIMITED"]);
});

Deno.test("G10 what is not allowed is FORBIDDEN before and after the limit, and counts nothing", async () => {
  const { server, connect } = await open({ auth: { anonymous: true, anonymousScopes: ["send"] } });
  await using _server = server;
  await using ann = await connect("ann");
  const join = async () => (await ann.run(`mutation { ${MUTATIONS.joinRoom} }`)).errors.map(codeOf);

  const before = [await join(), await join(), await join()];
  const sent = [await ann.run(SEND), await ann.run(SEND), await ann.run(SEND)];

  assertEquals(before, [["FORBIDDEN"], ["FORBIDDEN"], ["FORBIDDEN"]]);
  assertEquals(sent.map(({ sendMessage, errors }) => sendMessage?.success ?? errors.map(codeOf)), [true, true, [
    "RATE_LIMITED",
  ]]);
  assertEquals(await join(), ["FORBIDDEN"]);
});

Deno.test("what the program itself sends is not counted, and 0 counts nothing of anybody", async () => {
  const server = createRooms({ server: { port: 0 }, limits: { messagesPerSecond: 1 } }, new ManualClock());
  await server.listen();
  for (let sent = 0; sent < 200; sent++) await server.broadcastToRoom("lobby", "tick");
  await server.stop();

  const { server: unlimited, connect } = await open({ limits: { messagesPerSecond: 0 }, auth: { anonymous: true } });
  await using _server = unlimited;
  await using ann = await connect("ann");
  for (let sent = 0; sent < 200; sent++) assertEquals((await ann.run(SEND)).sendMessage.success, true);
});

function codeOf({ extensions }: { readonly extensions: { readonly code: string } }): string {
  return extensions.code;
}
