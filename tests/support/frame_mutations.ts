import { Buffer } from "node:buffer";
import { clientFrameOf, closeFrame, FIN, messageFrame, OPCODES, textFrame } from "./client_frame.ts";
import { INIT, live, query } from "./message_cases.ts";

/** What clients send that is right, and nearly right, before it is changed. */
const ORIGINALS: readonly Uint8Array[] = [
  [messageFrame(query("1")), messageFrame(live("2")), messageFrame({ id: "2", type: "complete" })],
  [messageFrame({ type: "ping", payload: { a: [1, "é"] } }), messageFrame({ type: "pong" })],
  [clientFrameOf(OPCODES.text, '{"type":'), clientFrameOf(FIN | OPCODES.ping, "x"), clientFrameOf(FIN, '"ping"}')],
  [textFrame(JSON.stringify(live("1")), { mask: [1, 2, 3, 4] }), messageFrame(live("1"))],
  [messageFrame(query("1", '{ viewer { userId } room(room: "a") { id } }')), closeFrame(1000, "done")],
  [clientFrameOf(FIN | OPCODES.binary, "{}"), clientFrameOf(FIN | OPCODES.pong)],
  [messageFrame(query("1", `mutation { joinRoom(room: "mutated") { success } }`)), clientFrameOf(FIN | OPCODES.ping)],
].map((frames) => Buffer.concat([messageFrame(INIT), ...frames]));
const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x88, 0x89, 0xc1, 0xfe, 0xff, 0x22, 0x7b, 0x7d, 0x5c];
const MAX_CHANGES = 4;

/** One of the originals with some of its bytes changed; the same for the same numbers. */
export function mutatedFrames(random: () => number): Uint8Array {
  const below = (count: number): number => Math.floor(random() * count);
  let bytes = Buffer.from(ORIGINALS[below(ORIGINALS.length)]!);
  for (let changes = 1 + below(MAX_CHANGES); changes > 0 && bytes.length > 0; changes--) {
    const at = below(bytes.length);
    const length = 1 + below(16);
    switch (below(6)) {
      case 0:
        bytes[at]! ^= 1 << below(8);
        break;
      case 1:
        bytes[at] = INTERESTING[below(INTERESTING.length)]!;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Uint8Array.from({ length }, () => below(256)),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}
