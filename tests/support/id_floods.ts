import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { messageFrame } from "./client_frame.ts";
import { startLocalServer } from "./local_server.ts";
import { live } from "./message_cases.ts";
import { WireClient } from "./wire_client.ts";

const MAX_SUBSCRIPTIONS = 100;

/** Begins so many subscriptions in one chunk: all but a hundred are refused, and nothing else happens. */
export async function floodIds(count: number): Promise<void> {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);

  await client.write(Buffer.concat(Array.from({ length: count }, (_, at) => messageFrame(live(`${at}`)))));

  const refused = Array.from({ length: count - MAX_SUBSCRIPTIONS }, (_, at) => at + MAX_SUBSCRIPTIONS);
  assertEquals(await client.outcome(), [...refused.map((at) => `error ${at} SUBSCRIPTION_LIMIT`), "lives"]);
  const { data } = await server.query("{ server { subscriptions } }");
  assertEquals(data.server.subscriptions, MAX_SUBSCRIPTIONS);
}

/** Begins and completes a subscription so often, under one id and in one chunk: nothing is left of it. */
export async function reuseId(count: number): Promise<void> {
  await using server = await startLocalServer();
  await using client = await WireClient.ready(server.port);
  const pair = Buffer.concat([messageFrame(live("1")), messageFrame({ id: "1", type: "complete" })]);

  await client.write(Buffer.concat(Array.from({ length: count }, () => pair)));

  assertEquals(await client.outcome(), ["lives"]);
  const { data } = await server.query("{ server { connections subscriptions rooms } }");
  assertEquals(data.server, { connections: 1, subscriptions: 0, rooms: 0 });
}
