import { type ProtocolMessage, RawClient } from "./raw_client.ts";

/** What a client says of itself, and what it does with what comes. */
export interface FencedClientOptions {
  /** The payload of its connection_init. */
  readonly init: Readonly<Record<string, unknown>>;
  /** Whether it answers the server's Pings. */
  readonly answers: boolean;
  /** Takes every message but Pings and the answers to `run`, in their order, when there is a `run` or a `fence`. */
  readonly onMessage: (message: ProtocolMessage) => void;
  readonly onPing?: (payload: ProtocolMessage) => void;
}

/**
 * A raw client that deals with what has come only when it is told to.
 *
 * What it has not dealt with when it is cut off has never reached it.
 */
export class FencedClient implements AsyncDisposable {
  readonly sessionId: string;
  readonly #client: RawClient;
  readonly #options: FencedClientOptions;
  #runs = 0;

  private constructor(client: RawClient, options: FencedClientOptions, sessionId: string) {
    this.#client = client;
    this.#options = options;
    this.sessionId = sessionId;
  }

  /** Connects and is acknowledged. */
  static async open(url: string, options: FencedClientOptions): Promise<FencedClient> {
    const client = await RawClient.connect(url);
    client.send({ type: "connection_init", payload: options.init });
    const { payload } = await client.next();
    return new FencedClient(client, options, payload.sessionId);
  }

  /** Resolves when the server has closed it, with code and reason. */
  get closed() {
    return this.#client.closed;
  }

  subscribe(id: string, query: string): void {
    this.#client.subscribe(id, query);
  }

  complete(id: string): void {
    this.#client.send({ id, type: "complete" });
  }

  /** Runs a query or a mutation; resolves with its data, or its errors as data. */
  async run(query: string, variables: Record<string, unknown> = {}): Promise<ProtocolMessage> {
    const id = `run ${++this.#runs}`;
    this.#client.subscribe(id, query, variables);
    let answer: ProtocolMessage;
    for (;;) {
      const message = await this.#client.next();
      if (message.id !== id) this.#take(message);
      else if (message.type === "complete") return answer;
      else if (message.type === "error") return { errors: message.payload };
      else answer = message.payload.errors === undefined ? message.payload.data : message.payload;
    }
  }

  /** Resolves when the server has dealt with all that was sent before, and the client with all that came. */
  async fence(): Promise<void> {
    await this.run("{ viewer { sessionId } }");
    // What was sent while that was answered: the client's Pongs, a subscription's first events.
    await this.run("{ viewer { sessionId } }");
  }

  /** Says goodbye. */
  close(): Promise<void> {
    return this.#client.close();
  }

  /** Breaks off. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  #take(message: ProtocolMessage): void {
    if (message.type !== "ping") return this.#options.onMessage(message);
    if (this.#options.answers) this.#client.send({ type: "pong", payload: message.payload });
    this.#options.onPing?.(message.payload);
  }
}
