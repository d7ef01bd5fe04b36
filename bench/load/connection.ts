import { encodeFrame, type Frame, FrameReader, OPCODES } from "./frames.ts";

/** Where to connect, and how to ask for a WebSocket there. */
export interface ConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly subprotocol?: string;
}

/** Who hears what a connection brings. */
export interface Listener {
  /** Called for each text message, in order. A throw ends the connection. */
  onText(message: Frame): void;
  /** Called once when the connection ends without having been asked to, or when `onText` threw. */
  onFailure(error: Error): void;
}

const HOSTNAME = "127.0.0.1";
const encoder = new TextEncoder();

/**
 * One WebSocket to a server, on a bare TCP socket.
 *
 * A `WebSocket` object would cost the generator more for each delivery than the
 * servers under test take to send it.
 */
export class Connection {
  readonly #socket: Deno.TcpConn;
  readonly #reader: FrameReader;
  #unsent: Uint8Array[] = [];
  #isWriting = false;
  #isClosed = false;
  #listener: Listener | undefined;

  private constructor(socket: Deno.TcpConn, reader: FrameReader) {
    this.#socket = socket;
    this.#reader = reader;
  }

  /** Connects and upgrades. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const socket = await Deno.connect({ hostname: HOSTNAME, port: options.port });
    try {
      socket.setNoDelay(true);
      await writeAll(socket, encoder.encode(formatUpgrade(options)));
      const reader = new FrameReader();
      checkUpgrade(await readHead(socket, reader), options);
      return new Connection(socket, reader);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Begins to read. Call it once. */
  listen(listener: Listener): void {
    this.#listener = listener;
    this.#read(listener).catch((error) => this.#fail(error));
  }

  /** Sends a text message. What is sent in one turn of the event loop leaves in one write. */
  send(text: string): void {
    this.#enqueue(OPCODES.text, encoder.encode(text));
  }

  /** Ends the connection without a closing handshake. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  async #read(listener: Listener): Promise<void> {
    const reader = this.#reader;
    while (true) {
      while (reader.next()) this.#hear(reader, listener);
      const count = await this.#socket.read(reader.space());
      if (count === null) throw new Error("Cannot go on: the server closed the TCP connection");
      reader.fill(count);
    }
  }

  #hear(frame: FrameReader, listener: Listener): void {
    if (frame.opcode === OPCODES.text) return listener.onText(frame);
    const payload = frame.bytes.slice(frame.start, frame.end);
    if (frame.opcode === OPCODES.ping) return this.#enqueue(OPCODES.pong, payload);
    if (frame.opcode === OPCODES.pong) return;
    if (frame.opcode === OPCODES.close) throw new Error(`Cannot go on: the server closed with ${formatClose(payload)}`);
    throw new Error(`Cannot read a frame of opcode ${frame.opcode}: text was expected`);
  }

  #enqueue(opcode: number, payload: Uint8Array): void {
    this.#unsent.push(encodeFrame(opcode, payload));
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(() => this.#write().catch((error) => this.#fail(error)));
  }

  async #write(): Promise<void> {
    while (this.#unsent.length > 0) {
      const frames = this.#unsent;
      this.#unsent = [];
      await writeAll(this.#socket, join(frames));
    }
    this.#isWriting = false;
  }

  #fail(error: unknown): void {
    // Reads and writes under way fail when the socket is closed, which is no news then.
    if (this.#isClosed) return;
    this.close();
    this.#listener?.onFailure(error instanceof Error ? error : new Error(String(error)));
  }
}

function formatUpgrade({ port, path, subprotocol }: ConnectionOptions): string {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${HOSTNAME}:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    "\r\n",
  ].join("\r\n");
}

async function readHead(socket: Deno.TcpConn, reader: FrameReader): Promise<string> {
  while (true) {
    const count = await socket.read(reader.space());
    if (count === null) throw new Error("Cannot upgrade: the server closed the connection");
    reader.fill(count);
    const head = reader.takeHead();
    if (head !== undefined) return head;
  }
}

function checkUpgrade(head: string, { path, subprotocol }: ConnectionOptions): void {
  const [status = "", ...headers] = head.split("\r\n");
  if (!/^HTTP\/1\.1 101\b/.test(status)) throw new Error(`Cannot upgrade ${path}: the server answered "${status}"`);
  const name = "sec-websocket-protocol:";
  const chosen = headers.find((header) => header.toLowerCase().startsWith(name))?.slice(name.length).trim();
  if (chosen !== subprotocol) {
    throw new Error(`Cannot upgrade ${path}: the server chose subprotocol "${chosen}", not "${subprotocol}"`);
  }
}

function formatClose(payload: Uint8Array): string {
  if (payload.length < 2) return "no code";
  const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
  return `${code} "${new TextDecoder().decode(payload.subarray(2))}"`;
}

async function writeAll(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const joined = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const chunk of chunks) {
    joined.set(chunk, end);
    end += chunk.length;
  }
  return joined;
}
