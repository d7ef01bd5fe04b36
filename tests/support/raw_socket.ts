import { Buffer } from "node:buffer";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { awaited } from "./patience.ts";
import { clientFrame } from "./raw_client.ts";

/** A close frame with the code 1000, masked with a key of zeros (RFC 6455 section 5.5.1). */
const CLOSE_FRAME = new Uint8Array([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** A request to become a WebSocket that speaks graphql-transport-ws. */
export const UPGRADE = [
  "GET /graphql HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Protocol: graphql-transport-ws",
  "\r\n",
].join("\r\n");

/** Whence and whereto to connect. */
export interface ConnectOptions {
  readonly from?: string | undefined;
  readonly host?: string | undefined;
}

/** A TCP connection whose every byte a test writes itself: it answers nothing, and ends as it is told. */
export class RawSocket {
  /** Resolves when it has ended, whoever ended it and however. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #received = "";
  #look = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {
      // The close that follows tells the test.
    });
    socket.on("data", (bytes: Uint8Array) => {
      this.#received += Buffer.from(bytes).toString("latin1");
      this.#look();
    });
  }

  /** Connects, from this address of the machine if one is named, or to another host than this machine. */
  static async connect(port: number, { from, host = "127.0.0.1" }: ConnectOptions = {}): Promise<RawSocket> {
    const socket = net.connect({ host, port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) });
    const connected = new RawSocket(socket);
    await once(socket, "connect");
    return connected;
  }

  /** Whether nobody has ended it yet. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Sends text as it is and messages as WebSocket frames, all in one chunk; resolves once they are on their way. */
  async send(...parts: readonly (string | Record<string, unknown>)[]): Promise<void> {
    const chunks = parts.map((part) =>
      typeof part === "string" ? Buffer.from(part) : clientFrame(JSON.stringify(part))
    );
    await new Promise<void>((resolve) => this.#socket.write(Buffer.concat(chunks), () => resolve()));
  }

  /** Reads nothing any more. */
  stall(): void {
    this.#socket.pause();
  }

  /** Resolves when this has come; what has come before is not looked at again. */
  async until(pattern: RegExp): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#look = () => {
      const match = pattern.exec(this.#received);
      if (match === null) return;
      this.#received = this.#received.slice(match.index + match[0].length);
      resolve();
    };
    this.#look();
    await awaited(promise, () => `${pattern} in ${this.#received}`).finally(() => this.#look = () => {});
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Says goodbye as a WebSocket does, and waits for the end. */
  async close(): Promise<void> {
    this.#socket.write(CLOSE_FRAME);
    await this.closed;
  }

  /** Ends the TCP connection without a goodbye. */
  async end(): Promise<void> {
    this.#socket.end();
    await this.closed;
  }

  /** Breaks the TCP connection: the server reads ECONNRESET. */
  async reset(): Promise<void> {
    this.#socket.resetAndDestroy();
    await this.closed;
  }
}
