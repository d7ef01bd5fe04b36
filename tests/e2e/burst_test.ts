import { assert, assertEquals } from "@std/assert";
import { createRooms } from "../../src/mod.ts";
import { RawClient } from "../support/raw_client.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";

const MESSAGES = "subscription ($room: ID!) { messages(room: $room) { data } }";
const BURST = 100_000;
const MIB = 1_048_576;

Deno.test("G4 a burst of 100,000 messages comes whole and in order to who keeps up, and holds up no other room", async () => {
  const server = createRooms({ server: { port: 0 }, telemetry: new RecordingTelemetry() });
  const { url } = await server.listen();
  await using busy = await RawClient.ready(url.replace("http", "ws"));
  await using calm = await RawClient.ready(url.replace("http", "ws"));
  busy.subscribe(crypto.randomUUID(), MESSAGES, { room: "busy" });
  calm.subscribe(crypto.randomUUID(), MESSAGES, { room: "calm" });
  await Promise.all([busy.next(), calm.next()]);

  const sent = Array.from({ length: BURST }, (_, index) => server.broadcastToRoom("busy", "tick", index));
  let burstIsOver = false;
  const whole = Promise.all(sent).then(() => burstIsOver = true);
  await server.broadcastToRoom("calm", "tick", "hello");
  const first = await calm.next();
  const calmWaited = burstIsOver;
  let most = 0;
  for (let next = 0; next < BURST;) {
    const message = await busy.next();
    if (message.type !== "next") continue;
    if (message.payload.data.messages.data !== next) {
      throw new Error(`Expected message ${next}, got ${JSON.stringify(message)}`);
    }
    if (next++ % 1_000 === 0) most = Math.max(most, Deno.memoryUsage().external);
  }
  await whole;
  await server.stop();

  assertEquals([first.payload.data.messages.data, calmWaited], ["hello", false]);
  assert(most < 64 * MIB, `${most} bytes of buffers were held`);
});
