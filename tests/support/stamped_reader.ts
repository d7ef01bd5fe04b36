import { Buffer } from "node:buffer";
import net, { type Socket } from "node:net";
import { clientFrame } from "./raw_client.ts";
import { UPGRADE } from "./raw_socket.ts";
import { STREAM_REQUESTS, streamRequest } from "./stream_requests.ts";
import type { StalledKind } from "./stalled_readers.ts";

const MARK = Buffer.from('"content":"');
const [NUMBER_DIGITS, TIME_DIGITS] = [8, 13];

/** A content of so many bytes that says its number, and when it was sent. */
export function stampedContent(number: number, bytes: number): string {
  return `${number}`.padStart(NUMBER_DIGITS, "0").concat(`${Date.now()}`).padEnd(bytes, ".");
}

/** Reads stamped contents off the wire, as many as come: cheaply, for measurements. */
export class StampedReader {
  /** How many have come, how many of them out of their turn, and how old each was, in milliseconds. */
  received = 0;
  outOfTurn = 0;
  ages: number[] = [];
  readonly #socket: Socket;
  #rest: Uint8Array = new Uint8Array(0);
  #next = 0;

  constructor(kind: StalledKind, port: number, query: string) {
    const socket = this.#socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
    if (kind === "WebSocket") {
      socket.write(UPGRADE);
      socket.write(clientFrame(JSON.stringify({ type: "connection_init" })));
      const start = (bytes: Uint8Array): void => {
        if (!Buffer.from(bytes).includes("connection_ack")) return;
        socket.off("data", start);
        socket.write(clientFrame(JSON.stringify({ id: "1", type: "subscribe", payload: { query } })));
      };
      socket.on("data", start);
    } else {
      socket.write(streamRequest(kind as keyof typeof STREAM_REQUESTS, query));
    }
    socket.on("data", (bytes: Uint8Array) => this.#read(bytes));
    socket.on("error", () => {});
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Uint8Array): void {
    const all = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const now = Date.now();
    let at = 0;
    for (;;) {
      const found = all.indexOf(MARK, at);
      const end = found + MARK.length + NUMBER_DIGITS + TIME_DIGITS;
      if (found === -1 || end > all.length) break;
      const digits = all.toString("latin1", found + MARK.length, end);
      const number = Number(digits.slice(0, NUMBER_DIGITS));
      if (this.received > 0 && number !== this.#next) this.outOfTurn++;
      this.#next = number + 1;
      this.received++;
      this.ages.push(now - Number(digits.slice(NUMBER_DIGITS)));
      at = end;
    }
    // What may still become a mark and its digits.
    this.#rest = all.subarray(Math.max(at, all.length - MARK.length - NUMBER_DIGITS - TIME_DIGITS));
  }
}
