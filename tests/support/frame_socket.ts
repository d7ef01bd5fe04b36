import { Buffer } from "node:buffer";
import net, { type Socket } from "node:net";
import { awaited } from "./patience.ts";
import type { ProtocolMessage } from "./raw_client.ts";
import { UPGRADE } from "./raw_socket.ts";
import { type ServerFrame, splitFrames, textOf } from "./server_frames.ts";

/** A WebSocket that shows each frame as it came, and sends frames of any kind. */
export class FrameSocket implements AsyncDisposable {
  /** The answer to the upgrade, without its frames. */
  readonly answer: Promise<string>;
  /** Resolves when the server has ended the TCP connection. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #frames: ServerFrame[] = [];
  readonly #waiting: ((frame: ServerFrame) => void)[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #answered: ((answer: string) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.answer = new Promise((resolve) => this.#answered = resolve);
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {
      // The end that follows tells the test.
    });
    socket.on("data", (bytes: Uint8Array) => this.#take(Buffer.concat([this.#bytes, bytes])));
  }

  /** Asks for an upgrade with these extensions; the server may still refuse. */
  static open(port: number, extensions?: string): FrameSocket {
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
    const header = extensions === undefined ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
    socket.write(UPGRADE.replace(/\r\n$/, `${header}\r\n`));
    return new FrameSocket(socket);
  }

  /** Connects and is acknowledged. */
  static async ready(port: number, extensions?: string): Promise<FrameSocket> {
    const socket = FrameSocket.open(port, extensions);
    await awaited(socket.answer, () => "an answer to the upgrade");
    socket.send({ type: "connection_init" });
    await socket.nextMessage();
    return socket;
  }

  /** Sends a message as one plain text frame. */
  send(message: ProtocolMessage): void {
    this.sendFrame(0x81, Buffer.from(JSON.stringify(message)));
  }

  subscribe(id: string, query: string, variables: Record<string, unknown> = {}): void {
    this.send({ id, type: "subscribe", payload: { query, variables } });
  }

  /** Sends a frame with this first byte, masked with a key of zeros. */
  sendFrame(firstByte: number, payload: Uint8Array): void {
    const header = payload.length < 126
      ? Buffer.of(firstByte, 0x80 | payload.length)
      : Buffer.concat([Buffer.of(firstByte, 0x80 | 127), lengthBytes(payload.length)]);
    this.#socket.write(Buffer.concat([header, Buffer.alloc(4), payload]));
  }

  /** The next frame that has not been taken. */
  next(): Promise<ServerFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return awaited(new Promise((resolve) => this.#waiting.push(resolve)), () => "a frame");
  }

  /** The next frame's text, as JSON. */
  async nextMessage(): Promise<ProtocolMessage> {
    return JSON.parse(textOf(await this.next()));
  }

  /** Reads nothing any more from the network, as a stalled client does. */
  stall(): void {
    this.#socket.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    if (this.#answered !== undefined) {
      const end = Buffer.from(bytes).indexOf("\r\n\r\n");
      if (end === -1) return;
      this.#answered(Buffer.from(bytes.subarray(0, end)).toString());
      this.#answered = undefined;
      this.#bytes = bytes.subarray(end + 4);
    }
    const { frames, rest } = splitFrames(this.#bytes);
    this.#bytes = rest;
    for (const frame of frames) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(frame);
      else waiting(frame);
    }
  }
}

function lengthBytes(length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(length, 4);
  return bytes;
}
