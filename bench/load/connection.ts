import { checkAgreement, DEFLATE_OFFER } from "./deflate_offer.ts";
import type { Line, Listener } from "./frame.ts";
import { DEFLATED_TEXT, encodeFrame, FrameReader, OPCODES } from "./frames.ts";
import { Socket } from "./socket.ts";

/** Where to connect, and how to ask for a WebSocket there. */
export interface ConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly subprotocol?: string;
  /** Whether to offer compression, which the server must agree to. @default {false} */
  readonly compresses?: boolean;
}

const encoder = new TextEncoder();

/**
 * One WebSocket to a server, on a bare TCP socket.
 *
 * A `WebSocket` object would cost the generator more for each delivery than the
 * servers under test take to send it.
 */
export class Connection implements Line {
  deflated = 0;
  readonly #socket: Socket;
  readonly #reader: FrameReader;

  private constructor(socket: Socket, { compresses = false }: ConnectionOptions) {
    this.#socket = socket;
    this.#reader = new FrameReader(socket.buffer, { takesDeflated: compresses });
  }

  /** Connects and upgrades. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    return new Connection(
      await Socket.open(options.port, formatUpgrade(options), (head) => checkUpgrade(head, options)),
      options,
    );
  }

  get reads(): number {
    return this.#socket.reads;
  }

  get readBytes(): number {
    return this.#socket.readBytes;
  }

  listen(listener: Listener): void {
    const reader = this.#reader;
    const onBytes = () => {
      while (reader.next()) this.#hear(reader, listener);
    };
    this.#socket.listen({ onBytes, onFailure: (error) => listener.onFailure(error) });
  }

  send(text: string): void {
    this.#socket.send(encodeFrame(OPCODES.text, encoder.encode(text)));
  }

  close(): void {
    this.#socket.close();
  }

  #hear(frame: FrameReader, listener: Listener): void {
    if (frame.opcode === OPCODES.text) return listener.onMessage(frame);
    if (frame.opcode === DEFLATED_TEXT) {
      this.deflated++;
      return listener.onMessage(frame);
    }
    const payload = new Uint8Array(frame.bytes.subarray(frame.start, frame.end));
    if (frame.opcode === OPCODES.ping) return this.#socket.send(encodeFrame(OPCODES.pong, payload));
    if (frame.opcode === OPCODES.pong) return;
    if (frame.opcode === OPCODES.close) throw new Error(`Cannot go on: the server closed with ${formatClose(payload)}`);
    throw new Error(`Cannot read a frame of opcode ${frame.opcode}: text was expected`);
  }
}

function formatUpgrade({ port, path, subprotocol, compresses = false }: ConnectionOptions): string {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    ...(compresses ? [`Sec-WebSocket-Extensions: ${DEFLATE_OFFER}`] : []),
    "\r\n",
  ].join("\r\n");
}

function checkUpgrade(head: string, { path, subprotocol, compresses = false }: ConnectionOptions): void {
  const [status = "", ...headers] = head.split("\r\n");
  if (!/^HTTP\/1\.1 101\b/.test(status)) throw new Error(`Cannot upgrade ${path}: the server answered "${status}"`);
  const find = (name: string) =>
    headers.find((header) => header.toLowerCase().startsWith(name))?.slice(name.length).trim();
  const chosen = find("sec-websocket-protocol:");
  if (chosen !== subprotocol) {
    throw new Error(`Cannot upgrade ${path}: the server chose subprotocol "${chosen}", not "${subprotocol}"`);
  }
  checkAgreement(find("sec-websocket-extensions:"), compresses);
}

function formatClose(payload: Uint8Array): string {
  if (payload.length < 2) return "no code";
  const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
  return `${code} "${new TextDecoder().decode(payload.subarray(2))}"`;
}
