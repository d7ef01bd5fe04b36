import { Buffer } from "node:buffer";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { awaited } from "./patience.ts";
import { clientFrame, type ProtocolMessage } from "./raw_client.ts";
import { UPGRADE } from "./raw_socket.ts";
import { splitFrames, textOf } from "./server_frames.ts";

/** How a user says who it is, over HTTP and in connection_init. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What one operation was answered. */
export interface TappedAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Every byte that any connection of a user has received, as it came over TCP. */
export class Taps {
  readonly #received = new Map<string, Uint8Array[][]>();

  /** Begins to keep what one more connection of the user receives. */
  tap(user: string, socket: Socket): void {
    const chunks: Uint8Array[] = [];
    const all = this.#received.get(user);
    if (all === undefined) this.#received.set(user, [chunks]);
    else all.push(chunks);
    socket.on("data", (bytes: Uint8Array) => void chunks.push(bytes));
  }

  /** All that has come to a user, connection by connection. */
  of(user: string): readonly string[] {
    return (this.#received.get(user) ?? []).map((chunks) => Buffer.concat(chunks).toString("latin1"));
  }
}

/** Where connections go, and as whom. */
export interface Tapping {
  readonly port: number;
  readonly taps: Taps;
  readonly user: string;
  readonly credentials: Credentials;
}

/** A POST whose every answered byte is kept. */
export class TappedRequest implements AsyncDisposable {
  /** Resolves when the server has ended it, or we have. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #text = "";
  #look = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {
      // The close that follows tells the test.
    });
    socket.on("data", (bytes: Uint8Array) => {
      this.#text += Buffer.from(bytes).toString();
      this.#look();
    });
    void this.ended.then(() => this.#look());
  }

  /** Sends one operation. */
  static async send(
    { port, taps, user, credentials }: Tapping,
    request: { readonly query: string; readonly variables?: unknown; readonly headers?: Record<string, string> },
  ): Promise<TappedRequest> {
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
    taps.tap(user, socket);
    const sent = new TappedRequest(socket);
    await once(socket, "connect");
    const body = JSON.stringify({ query: request.query, variables: request.variables ?? {} });
    const headers = {
      host: "localhost",
      connection: "close",
      accept: "application/json",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...credentials.headers,
      ...request.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST /graphql HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
    return sent;
  }

  /** Reads nothing any more from the network, as a stalled client does. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** All that has come. */
  get text(): string {
    return this.#text;
  }

  /** Resolves with all that has come, once this has, or the answer has ended. */
  async until(pattern: RegExp): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#look = () => {
      if (pattern.test(this.#text) || this.#socket.destroyed) resolve();
    };
    this.#look();
    await awaited(promise, () => `${pattern} in ${this.#text}`);
    return this.#text;
  }

  /** The whole answer, once it has ended. */
  async answer(): Promise<TappedAnswer> {
    await awaited(this.ended, () => `the end of ${this.#text}`);
    const [headers = "", ...rest] = this.#text.split("\r\n\r\n");
    const body = rest.join("\r\n\r\n");
    return { status: Number(headers.split(" ", 2)[1]), headers, body: unchunked(headers, body) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }
}

/** A WebSocket whose every received byte is kept. */
export class TappedSocket implements AsyncDisposable {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<string, (message: ProtocolMessage) => void>();
  readonly #unread = new Map<string, ProtocolMessage[]>();
  readonly #acknowledged: Promise<void>;
  #bytes: Uint8Array = new Uint8Array(0);
  #upgraded = false;
  #operations = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {
      // The close that follows tells the test.
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#acknowledged = promise;
    socket.on("data", (bytes: Uint8Array) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      if (!this.#upgraded) {
        const end = Buffer.from(this.#bytes).indexOf("\r\n\r\n");
        if (end === -1) return;
        this.#upgraded = true;
        this.#bytes = this.#bytes.subarray(end + 4);
      }
      const { frames, rest } = splitFrames(this.#bytes);
      this.#bytes = rest;
      for (const frame of frames) {
        if (frame.firstByte !== 0x81) continue;
        const message = JSON.parse(textOf(frame));
        if (message.type === "connection_ack") resolve();
        // As a stock client does: what a Ping tells of has come.
        else if (message.type === "ping") this.send({ type: "pong", payload: message.payload });
        else this.#take(message);
      }
    });
  }

  /** Connects and is acknowledged. */
  static async open(
    { port, taps, user, credentials }: Tapping,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<TappedSocket> {
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
    taps.tap(user, socket);
    const opened = new TappedSocket(socket);
    const init = clientFrame(
      JSON.stringify({ type: "connection_init", payload: { ...credentials.params, ...params } }),
    );
    socket.write(UPGRADE);
    // Behind the upgrade, which ws hands over with what came along.
    await once(socket, "data");
    socket.write(init);
    await awaited(opened.#acknowledged, () => "a connection_ack");
    return opened;
  }

  /** Reads nothing any more from the network, as a stalled client does. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  send(message: ProtocolMessage): void {
    this.#socket.write(clientFrame(JSON.stringify(message)));
  }

  /** Begins an operation under this id, or a new one. */
  begin(query: string, variables: unknown = {}, id = String(++this.#operations)): string {
    this.send({ id, type: "subscribe", payload: { query, variables } });
    return id;
  }

  /** Runs a query or a mutation: its result, or its error. */
  async run(query: string, variables: unknown = {}): Promise<ProtocolMessage> {
    const id = this.begin(query, variables);
    const answer = await this.next(id);
    if (answer.type === "next") await this.next(id);
    return answer;
  }

  /** The next message about this operation. */
  next(id: string): Promise<ProtocolMessage> {
    const unread = this.#unread.get(id)?.shift();
    if (unread !== undefined) return Promise.resolve(unread);
    return awaited(new Promise((resolve) => this.#waiting.set(id, resolve)), () => `a message about ${id}`);
  }

  /** All about this operation that has come and was not looked at. */
  rest(id: string): readonly ProtocolMessage[] {
    return this.#unread.get(id)?.splice(0) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  #take(message: ProtocolMessage): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (waiting !== undefined) return waiting(message);
    const unread = this.#unread.get(message.id);
    if (unread === undefined) this.#unread.set(message.id, [message]);
    else unread.push(message);
  }
}

/** A body without what "Transfer-Encoding: chunked" puts between its pieces (RFC 9112 section 7.1). */
function unchunked(headers: string, body: string): string {
  if (!/transfer-encoding: *chunked/i.test(headers)) return body;
  const bytes = Buffer.from(body);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\r\n", at);
    const size = parseInt(bytes.subarray(at, end).toString(), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts).toString();
}
