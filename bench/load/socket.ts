import { ReadBuffer } from "./read_buffer.ts";

/** Who hears of a socket's bytes. */
export interface SocketListener {
  /** Called when `buffer` holds more than before. A throw ends the connection. */
  onBytes(): void;
  /** Called once when the connection ends without having been asked to. */
  onFailure(error: Error): void;
}

const HOSTNAME = "127.0.0.1";
const encoder = new TextEncoder();

/** A TCP connection to a server under test: an HTTP request and its answer's head, then bytes both ways. */
export class Socket {
  readonly buffer = new ReadBuffer();
  /** How often something was read. */
  reads = 0;
  readBytes = 0;
  readonly #connection: Deno.TcpConn;
  #unsent: Uint8Array[] = [];
  #isWriting = false;
  #isClosed = false;
  #listener: SocketListener | undefined;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects, and sends the request; `check` is given the head of the answer and throws at a wrong one. */
  static async open(port: number, request: string, check: (head: string) => void): Promise<Socket> {
    const socket = new Socket(await Deno.connect({ hostname: HOSTNAME, port }));
    try {
      socket.#connection.setNoDelay(true);
      await socket.#writeAll(encoder.encode(request));
      check(await socket.#readHead());
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Begins to read. Call it once. */
  listen(listener: SocketListener): void {
    this.#listener = listener;
    this.#read(listener).catch((error) => this.#fail(error));
  }

  /** Sends bytes. What is sent in one turn of the event loop leaves in one write. */
  send(bytes: Uint8Array): void {
    this.#unsent.push(bytes);
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(() => this.#write().catch((error) => this.#fail(error)));
  }

  /** Ends the connection. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  async #read(listener: SocketListener): Promise<void> {
    while (true) {
      // The answer's head may have brought more with it.
      listener.onBytes();
      if (!await this.#readMore()) throw new Error("Cannot go on: the server closed the TCP connection");
    }
  }

  async #readHead(): Promise<string> {
    while (true) {
      if (!await this.#readMore()) throw new Error("Cannot go on: the server closed the connection without an answer");
      const head = this.buffer.takeHead();
      if (head !== undefined) return head;
    }
  }

  async #readMore(): Promise<boolean> {
    const count = await this.#connection.read(this.buffer.space());
    if (count === null) return false;
    this.buffer.fill(count);
    this.reads++;
    this.readBytes += count;
    return true;
  }

  async #write(): Promise<void> {
    while (this.#unsent.length > 0) {
      const chunks = this.#unsent;
      this.#unsent = [];
      await this.#writeAll(join(chunks));
    }
    this.#isWriting = false;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#connection.write(bytes.subarray(sent));
  }

  #fail(error: unknown): void {
    // Reads and writes under way fail when the socket is closed, which is no news then.
    if (this.#isClosed) return;
    this.close();
    this.#listener?.onFailure(error instanceof Error ? error : new Error(String(error)));
  }
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
