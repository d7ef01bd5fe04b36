import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { clientFrameOf, closeFrame, FIN, messageFrame, OPCODES, textFrame } from "./client_frame.ts";
import { INIT, live, query } from "./message_cases.ts";
import { add, type Command, PLAIN_COMMANDS, ProtocolModel } from "./protocol_model.ts";
import { WireClient, type WireClientOptions } from "./wire_client.ts";

/** What a client sends: chunks, each once the one before it has been dealt with. */
export type Sequence = readonly (readonly Command[])[];

const IDS = ["a", "b", "__proto__"];
const BAD_CURSOR = `subscription { messages(room: "lobby", after: "none") { content } }`;
const PUBLISH = `mutation ($room: ID!) { sendMessage(room: $room, content: "") { success } }`;
const PLAIN_FRAMES: Readonly<Record<keyof typeof PLAIN_COMMANDS, Uint8Array>> = {
  init: messageFrame(INIT),
  ping: messageFrame({ type: "ping" }),
  pong: messageFrame({ type: "pong" }),
  controlPing: clientFrameOf(FIN | OPCODES.ping, "here"),
  badInit: messageFrame({ ...INIT, payload: [] }),
  badSubscribe: messageFrame(query("")),
  unknownType: messageFrame({ type: "hello" }),
  serverType: messageFrame({ id: "a", type: "next", payload: {} }),
  noJson: textFrame("{"),
  binary: clientFrameOf(FIN | OPCODES.binary, JSON.stringify(INIT)),
  brokenFrame: clientFrameOf(FIN | 3),
  goodbye: closeFrame(1000),
};

/** Sequences of which most begin as they should, and few end soon. */
export function sequences(): fc.Arbitrary<Sequence> {
  const id = fc.constantFrom(...IDS);
  const about = (...kinds: Extract<Command, { id: string }>["kind"][]): fc.Arbitrary<Command> =>
    fc.record({ kind: fc.constantFrom(...kinds), id });
  const plain = (...kinds: (keyof typeof PLAIN_COMMANDS)[]): fc.Arbitrary<Command> =>
    fc.record({ kind: fc.constantFrom(...kinds) });
  const ends = Object.keys(PLAIN_COMMANDS) as (keyof typeof PLAIN_COMMANDS)[];
  const command = fc.oneof(
    { weight: 15, arbitrary: about("query", "live") },
    { weight: 5, arbitrary: about("refused", "refusedLater") },
    { weight: 20, arbitrary: about("complete") },
    { weight: 5, arbitrary: plain("ping", "pong", "controlPing") },
    { weight: 2, arbitrary: plain(...ends) },
  );
  const chunks = fc.array(fc.array(command, { minLength: 1, maxLength: 6 }), { maxLength: 6 });
  const begin: Sequence = [[{ kind: "init" }]];
  return fc.tuple(fc.integer({ min: 0, max: 9 }), chunks).map(([at, rest]) => at === 0 ? rest : [...begin, ...rest]);
}

/** Sends a sequence to a server, whose room of this name nobody else uses, and compares what comes with the model. */
export async function runSequence(
  port: number,
  { sequence, room }: { readonly sequence: Sequence; readonly room: string },
  options?: WireClientOptions,
): Promise<void> {
  const model = new ProtocolModel();
  await using client = await WireClient.open(port, options);
  for (const chunk of sequence) {
    client.write(Buffer.concat(chunk.map((command) => frameOf(command, room))));
    model.take(chunk);
    if (model.end !== undefined) break;
    await client.turn();
  }
  if (model.end === undefined) {
    if (model.said.has("ack")) {
      client.write(messageFrame(query("publish", PUBLISH, { room })));
      model.publish();
      add(model.said, "next publish");
      add(model.said, "complete publish");
      await client.until(() => client.heard.includes("complete publish"));
    }
    // What must not come would be there by then.
    await client.turn();
    assert(!client.isOver, "A connection has ended that should live");
  } else {
    await client.ended;
    assertEquals(client.heard.at(-1), model.end);
  }
  compare(model, client.heard.filter((one) => !/ fence \d+\b/.test(one) && !one.startsWith("close")));
}

function compare({ said, perhaps }: ProtocolModel, heard: readonly string[]): void {
  const came = new Map<string, string[]>();
  for (const one of heard) add(came, one);
  for (const about of new Set([...came.keys(), ...said.keys()])) {
    const certain = said.get(about) ?? [];
    const most = [...certain, ...(perhaps.get(about) ?? [])];
    const actual = came.get(about) ?? [];
    assertEquals(actual, most.slice(0, Math.max(actual.length, certain.length)));
    assert(actual.length <= most.length);
  }
}

function frameOf(command: Command, room: string): Uint8Array {
  switch (command.kind) {
    case "query":
      return messageFrame(query(command.id));
    case "live":
      return messageFrame(live(command.id, room));
    case "refused":
      return messageFrame(query(command.id, "{"));
    case "refusedLater":
      return messageFrame(query(command.id, BAD_CURSOR));
    case "complete":
      return messageFrame({ id: command.id, type: "complete" });
    default:
      return PLAIN_FRAMES[command.kind];
  }
}
