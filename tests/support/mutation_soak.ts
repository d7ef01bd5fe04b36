import { assert, assertEquals } from "@std/assert";
import { messageFrame } from "./client_frame.ts";
import { mutatedFrames } from "./frame_mutations.ts";
import { startLocalServer } from "./local_server.ts";
import { live } from "./message_cases.ts";
import { troubles } from "./outcomes.ts";
import { seeded } from "./seeded.ts";
import { WireClient } from "./wire_client.ts";

/** How much is tried. */
export interface MutationSoakOptions {
  readonly count: number;
  readonly seed: number;
  readonly compression?: boolean;
}

const AT_ONCE = 25;
/** A message is sent to those who are not to be disturbed after each so many. */
const ROUND = 500;
/** How this server may close what it does not understand; a code of the client's own comes back to it. */
const CLOSES = /^close(?: (?:1000|1002|1007|1008|1009|4400|4401|4409|4429|[34]\d{3}|10(?:0[0-3]|0[7-9]|1[0-4])))?$/;
const SPEECH = /^(?:ack|pong|pong .*|next .*|error .*|complete .*)$/s;

/**
 * Sends changed frames, each over a connection of its own, and tells how each came out, counted.
 *
 * Fails when one comes out in a way that is not allowed, when something is logged, or
 * when a client that sends nothing wrong gets not exactly what was sent to it.
 */
export async function soakMutations(
  { count, seed, compression = false }: MutationSoakOptions,
): Promise<Readonly<Record<string, number>>> {
  await using server = await startLocalServer({ server: { compression } });
  await using witness = await WireClient.ready(server.port);
  witness.write(messageFrame(live("witness", "witnessed")));
  await witness.turn();
  const random = seeded(seed);
  const outcomes: Record<string, number> = {};
  const options = compression ? { extensions: "permessage-deflate" } : {};
  let rounds = 0;
  for (let done = 0; done < count; done += ROUND) {
    let left = Math.min(ROUND, count - done);
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const bytes = mutatedFrames(random);
        const outcome = await tryOut(server.port, bytes, options);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    }));
    await server.query(`mutation { sendMessage(room: "witnessed", content: "round") { success } }`);
    rounds++;
  }

  assertEquals(await witness.outcome(), [...Array.from({ length: rounds }, () => "next witness"), "lives"]);
  const { data } = await server.query("{ server { connections subscriptions } }");
  assertEquals(data.server, { connections: 1, subscriptions: 1 });
  assertEquals(troubles(server), []);
  return outcomes;
}

async function tryOut(port: number, bytes: Uint8Array, options: { extensions?: string }): Promise<string> {
  await using client = await WireClient.open(port, options);
  client.write(bytes);
  // What is complete is answered; what is not ends with it.
  client.end();
  await client.ended;
  const end = client.heard.at(-1) ?? "";
  const isClosed = end.startsWith("close");
  for (const [at, one] of client.heard.entries()) {
    const isLast = isClosed && at === client.heard.length - 1;
    assert((isLast ? CLOSES : SPEECH).test(one), `${one} is no answer to ${bytes.toString()}`);
  }
  return isClosed ? end : "no close";
}
