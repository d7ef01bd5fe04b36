import { Buffer } from "node:buffer";
import net, { type Socket } from "node:net";
import { clientFrameOf, FIN, messageFrame, OPCODES } from "./client_frame.ts";
import { awaited } from "./patience.ts";
import { UPGRADE } from "./raw_socket.ts";
import { type ServerFrame, splitFrames, textOf } from "./server_frames.ts";

/** How a wire client connects. */
export interface WireClientOptions {
  /** The Sec-WebSocket-Extensions it offers. @default none */
  readonly extensions?: string | undefined;
  /** Whether it leaves the server's close unanswered, and the end of its TCP connection too. @default false */
  readonly ignoresClose?: boolean;
}

const FENCED = / fence \d+\b/;
/** Text that is longer is told by its length. */
const SHOWN_CHARACTERS = 60;
const CLOSE = FIN | OPCODES.close;
const PING = FIN | OPCODES.ping;
const PONG = FIN | OPCODES.pong;

/** A WebSocket whose every byte a test writes, and what the server has to say to that, in a few words each. */
export class WireClient implements AsyncDisposable {
  /** What has come, in its order: `next 1`, `error 1 BAD_USER_INPUT`, `pong`, `close 1002`. */
  readonly heard: string[] = [];
  /** Resolves when the TCP connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  isOver = false;
  readonly #socket: Socket;
  readonly #ignoresClose: boolean;
  readonly #waiting = new Set<() => void>();
  #bytes: Uint8Array = new Uint8Array(0);
  #upgraded = false;
  #turns = 0;

  private constructor(socket: Socket, ignoresClose: boolean) {
    this.#socket = socket;
    this.#ignoresClose = ignoresClose;
    this.ended = new Promise((resolve) =>
      socket.once("close", () => {
        this.isOver = true;
        this.#look();
        resolve();
      })
    );
    socket.on("error", () => {
      // The end that follows tells the test.
    });
    socket.on("data", (bytes: Uint8Array) => this.#take(bytes));
  }

  /** Connects, and has been answered 101. */
  static async open(port: number, { extensions, ignoresClose = false }: WireClientOptions = {}): Promise<WireClient> {
    // Else net would answer the end of the other half with the end of this one.
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: ignoresClose });
    const client = new WireClient(socket, ignoresClose);
    const header = extensions === undefined ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
    socket.write(UPGRADE.replace(/\r\n$/, `${header}\r\n`));
    await client.until(() => client.#upgraded);
    return client;
  }

  /** Connects and is acknowledged; that is not among what it has heard. */
  static async ready(port: number, options?: WireClientOptions): Promise<WireClient> {
    const client = await WireClient.open(port, options);
    client.write(messageFrame({ type: "connection_init" }));
    await client.until(() => client.heard.includes("ack"));
    client.heard.length = 0;
    return client;
  }

  /** Writes these bytes, each chunk by itself; resolves once the last one is on its way. */
  write(...chunks: readonly Uint8Array[]): Promise<void> {
    const sent = chunks.map((chunk) => new Promise<void>((resolve) => this.#socket.write(chunk, () => resolve())));
    return Promise.all(sent).then(() => {});
  }

  /** Resolves when this is so, or the connection is over. */
  async until(isSo: () => boolean): Promise<void> {
    if (isSo() || this.isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => void ((isSo() || this.isOver) && resolve());
    this.#waiting.add(look);
    await awaited(promise, () => `more than ${JSON.stringify(this.heard.slice(-5))}`).finally(() =>
      this.#waiting.delete(look)
    );
  }

  /**
   * Asks something harmless, and tells what has come by the answer or the end; one that
   * is well says so last.
   */
  async outcome(isAcknowledged = true): Promise<readonly string[]> {
    for (let answered = 0; answered < 2 && !this.isOver;) {
      if (!isAcknowledged) await this.turn();
      // Refused while there is no room for one more: then what was asked before is waited for.
      if (!isAcknowledged || await this.#fence()) answered++;
    }
    const heard = this.heard.filter((one) => !FENCED.test(one));
    if (!this.isOver) return [...heard, "lives"];
    return heard.some((one) => one.startsWith("close")) ? heard : [...heard, "cut"];
  }

  /** Whether a harmless question has been answered. */
  async #fence(): Promise<boolean> {
    const id = `fence ${++this.#turns}`;
    this.write(messageFrame({ id, type: "subscribe", payload: { query: "{ viewer { userId } }" } }));
    const ends = [`complete ${id}`, `error ${id} SUBSCRIPTION_LIMIT`];
    await this.until(() => this.heard.some((one) => ends.includes(one)));
    return this.heard.includes(ends[0]!);
  }

  /** Resolves when the server has read all that was sent before. */
  async turn(): Promise<void> {
    const name = `fence ${++this.#turns}`;
    this.write(clientFrameOf(FIN | OPCODES.ping, name));
    await this.until(() => this.heard.includes(`pong frame ${name}`));
  }

  /** Reads nothing any more from the network. */
  stall(): void {
    this.#socket.pause();
  }

  /** Ends its half of the TCP connection. */
  end(): void {
    this.#socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#upgraded) {
      const end = Buffer.from(this.#bytes).indexOf("\r\n\r\n");
      if (end === -1) return;
      this.#upgraded = true;
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    const { frames, rest } = splitFrames(this.#bytes);
    this.#bytes = rest;
    for (const frame of frames) {
      // Whether it comes depends on how long a test takes.
      if (frame.firstByte === PING) continue;
      this.heard.push(tell(frame));
      if (frame.firstByte !== CLOSE || this.#ignoresClose) continue;
      this.#socket.end(clientFrameOf(CLOSE, frame.payload));
    }
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

function tell(frame: ServerFrame): string {
  const payload = Buffer.from(frame.payload);
  if (frame.firstByte === CLOSE) return payload.length === 0 ? "close" : `close ${payload.readUInt16BE(0)}`;
  if (frame.firstByte === PONG) return `pong frame ${shown(payload.toString("latin1"))}`.trim();
  const { type, id, payload: content } = JSON.parse(textOf(frame));
  if (type === "connection_ack") return "ack";
  if (type === "pong" || type === "ping") {
    return content === undefined ? type : `${type} ${shown(JSON.stringify(content))}`;
  }
  const errors = type === "error" ? content : content?.errors;
  return [type, shown(id), ...(errors ?? []).map((error: Refusal) => error.extensions.code)].join(" ");
}

interface Refusal {
  readonly extensions: { readonly code: string };
}

function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.length} characters`;
}
