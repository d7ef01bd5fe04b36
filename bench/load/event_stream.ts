import { EventReader } from "./events.ts";
import type { Line, Listener } from "./frame.ts";
import { Socket } from "./socket.ts";

/** A stream of Server-Sent Events over HTTP/1.1, on a bare TCP socket for the reason `Connection` gives. */
export class EventStream implements Line {
  readonly #socket: Socket;
  readonly #reader: EventReader;
  /** None is asked to be. */
  readonly deflated = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = new EventReader(socket.buffer);
  }

  /** Connects and sends the request; resolves when the head of a good answer has come. */
  static async open(port: number, request: string): Promise<EventStream> {
    return new EventStream(await Socket.open(port, request, checkAnswer));
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
      while (reader.next()) listener.onMessage(reader);
    };
    this.#socket.listen({ onBytes, onFailure: (error) => listener.onFailure(error) });
  }

  send(text: string): void {
    throw new Error(`Cannot send ${JSON.stringify(text)}: a stream of events has one direction`);
  }

  close(): void {
    this.#socket.close();
  }
}

function checkAnswer(head: string): void {
  const [status = "", ...headers] = head.toLowerCase().split("\r\n");
  if (!/^http\/1\.1 200\b/.test(status)) throw new Error(`Cannot stream: the server answered "${status}"`);
  for (const needed of ["content-type: text/event-stream", "transfer-encoding: chunked"]) {
    if (!headers.some((header) => header.startsWith(needed))) {
      throw new Error(`Cannot stream: the answer has no header "${needed}"`);
    }
  }
}
