import { WebSocket } from "ws";
import { awaited } from "./patience.ts";

// deno-lint-ignore no-explicit-any -- tests look into whatever came back
export type ProtocolMessage = any;

/** How a raw client connects. */
export interface RawClientOptions {
  readonly protocol?: string[];
  readonly headers?: Record<string, string>;
  /** The machine's address it connects from. */
  readonly localAddress?: string;
}

/** A WebSocket that speaks graphql-transport-ws message by message, right or wrong. */
export class RawClient implements AsyncDisposable {
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #messages: ProtocolMessage[] = [];
  readonly #waiting: ((message: ProtocolMessage) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: String(reason) }))
    );
    socket.on("error", () => {
      // The close that follows tells the test.
    });
    socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#messages.push(message);
      else waiting(message);
    });
  }

  /** Connects, with these headers; nothing is sent yet. */
  static async connect(url: string, options: RawClientOptions = {}) {
    const { protocol = ["graphql-transport-ws"], headers = {}, localAddress } = options;
    const socket = new WebSocket(url, protocol, { headers, ...(localAddress === undefined ? {} : { localAddress }) });
    const client = new RawClient(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  /** Connects and is acknowledged. */
  static async ready(
    url: string,
    payload: Record<string, unknown> = {},
    options: RawClientOptions = {},
  ): Promise<RawClient> {
    const client = await RawClient.connect(url, options);
    client.send({ type: "connection_init", payload });
    await client.next();
    return client;
  }

  /** Sends a message as JSON, or a text as it is, or bytes as a binary message. */
  send(message: ProtocolMessage): void {
    this.#socket.send(typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Begins an operation. */
  subscribe(id: string, query: string, variables: Record<string, unknown> = {}): void {
    this.send({ id, type: "subscribe", payload: { query, variables } });
  }

  /** The next message that has not been taken. */
  next(): Promise<ProtocolMessage> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    return awaited(new Promise((resolve) => this.#waiting.push(resolve)), () => "a message");
  }

  /** Reads nothing any more from the network, as a stalled client does. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says goodbye, as a client does that is done, and waits for the end. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }
}

/** A client's text frame, masked with a key of zeros: several in one chunk arrive at once. */
export function clientFrame(text: string): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(text);
  const header = payload.length < 126
    ? [0x81, 0x80 | payload.length]
    : [0x81, 0x80 | 126, payload.length >>> 8, payload.length & 0xff];
  return new Uint8Array([...header, 0, 0, 0, 0, ...payload]);
}
