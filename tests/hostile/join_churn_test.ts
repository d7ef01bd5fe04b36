import { assertEquals, assertLessOrEqual } from "@std/assert";
import { startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

const JOINING = `subscription { messages(room: "lobby", join: true) { content } }`;

Deno.test("who joins and leaves by subscribing and completing is counted, and others hear no more than is allowed", async () => {
  await using server = await startLocalServer({ limits: { messagesPerSecond: 5 } }, new ManualClock());
  await using watcher = await RawClient.ready(server.webSocketUrl, { userId: "bob" });
  watcher.subscribe("e", `subscription { roomEvents(room: "lobby") { type } }`);
  await using client = await RawClient.ready(server.webSocketUrl, { userId: "ann" });
  const outcomes: string[] = [];

  // On loopback everybody may do 20 times what a user may: 100 a second, and twice that at once.
  for (let at = 0; at < 400; at++) {
    client.subscribe(`s${at}`, JOINING);
    client.subscribe(`q${at}`, `{ room(room: "lobby") { memberCount } }`);
    for (let message = await client.next(); message.type !== "complete"; message = await client.next()) {
      if (message.type === "error") outcomes.push(message.payload[0].extensions.code);
    }
    client.send({ id: `s${at}`, type: "complete" });
  }
  watcher.subscribe("q", "{ viewer { userId } }");
  let heard = 0;
  for (let message = await watcher.next(); message.id !== "q"; message = await watcher.next()) heard++;

  assertEquals(new Set(outcomes), new Set(["RATE_LIMITED"]));
  assertLessOrEqual(heard, 2 * 200);
});

Deno.test("who comes back to the rooms it is in is not counted", async () => {
  await using server = await startLocalServer({ limits: { messagesPerSecond: 1 } }, new ManualClock());

  for (let times = 0; times < 30; times++) {
    await using client = await RawClient.ready(server.webSocketUrl, { userId: "ann", sessionId: "tab" });
    for (const room of ["a", "b", "c"]) {
      client.subscribe(room, `subscription { messages(room: "${room}", join: true) { content } }`);
    }
    client.subscribe("q", "{ viewer { rooms { id } } }");
    for (let message = await client.next(); message.type !== "complete"; message = await client.next()) {
      assertEquals(message.type, "next");
    }
  }
});
