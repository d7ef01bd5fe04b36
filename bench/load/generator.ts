import { readMachineCpuSeconds, readOwnCpuSeconds, readTreeCpuSeconds } from "../cpu.ts";
import type { Peer, Publishing } from "../peers/peer.ts";
import type { ServerProcess } from "../peers/server_process.ts";
import { Connection } from "./connection.ts";
import { Ledger } from "./ledger.ts";
import { Subscriber } from "./subscriber.ts";

/** Whom to load, with how many. */
export interface GeneratorOptions {
  readonly peer: Peer;
  readonly server: ServerProcess;
  readonly subscribers: number;
}

/** How to load. */
export interface LoadOptions {
  /** Messages published and not yet delivered to every subscriber. */
  readonly inFlight: number;
  /** How long to measure; the load begins a little earlier. */
  readonly seconds: number;
}

/** What was seen while measuring. */
export interface Measurement {
  readonly deliveries: number;
  readonly elapsedSeconds: number;
  /** Of the server's process and its children, user and system. */
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  /** Of everything on the machine, these two included. */
  readonly machineCpuSeconds: number;
  /** Of one delivery, on the wire. */
  readonly frameBytes: number;
}

const ROOM = "bench";
/** What a delivery shall have on the wire; content is padded until it has. */
const FRAME_BYTES = 195;
const CONNECTING_AT_ONCE = 25;
const OPEN_MS = 30_000;
/** How often a message is published until every subscriber is live. */
const LIVE_POLL_MS = 100;
const LIVE_MS = 15_000;
/** Load before measuring, so that both servers are compiled and warm. */
const WARM_UP_MS = 1_000;
const DRAIN_MS = 5_000;

/**
 * Fills a room with subscribers, publishes to it, and checks every delivery.
 *
 * The first thing that goes wrong anywhere fails whatever is awaited then and later.
 */
export class LoadGenerator implements Disposable {
  readonly #options: GeneratorOptions;
  readonly #failure = Promise.withResolvers<never>();
  readonly #ledger: Ledger;
  readonly #connections: Connection[] = [];
  readonly #subscribers: Subscriber[] = [];
  #publisher: { readonly connection: Connection; readonly dialogue: Publishing } | undefined;
  /** Publishes the server has answered. */
  #answers = 0;
  /** Messages that every subscriber has got. */
  #completed = 0;
  #paddingBytes = 0;
  #isLoading = false;
  #onProgress = () => {};

  private constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.subscribers, (sequence) => this.#complete(sequence));
    // Whoever awaits something hears of a failure; nobody has to await.
    this.#failure.promise.catch(() => {});
  }

  /** Connects everybody; resolves when every subscriber receives. */
  static async open(options: GeneratorOptions): Promise<LoadGenerator> {
    const generator = new LoadGenerator(options);
    try {
      if (!await generator.#within(OPEN_MS, generator.#connectAll())) {
        throw new Error(`Cannot connect ${options.subscribers} subscribers within ${OPEN_MS} ms`);
      }
      await generator.#untilLive();
      return generator;
    } catch (error) {
      generator[Symbol.dispose]();
      throw error;
    }
  }

  /** Keeps that many messages in flight and measures; resolves when every message has come everywhere. */
  async load({ inFlight, seconds }: LoadOptions): Promise<Measurement> {
    this.#isLoading = true;
    for (let count = 0; count < inFlight; count++) this.#publish();
    await this.#sleep(WARM_UP_MS);
    const before = this.#sample();
    await this.#sleep(seconds * 1_000);
    const after = this.#sample();
    this.#isLoading = false;
    await this.#drain();
    return {
      deliveries: after.deliveries - before.deliveries,
      elapsedSeconds: after.elapsedSeconds - before.elapsedSeconds,
      serverCpuSeconds: after.serverCpuSeconds - before.serverCpuSeconds,
      generatorCpuSeconds: after.generatorCpuSeconds - before.generatorCpuSeconds,
      machineCpuSeconds: after.machineCpuSeconds - before.machineCpuSeconds,
      frameBytes: Math.max(...this.#subscribers.map(({ frameBytes }) => frameBytes)),
    };
  }

  /** Ends every connection. Safe to call twice. */
  [Symbol.dispose](): void {
    this.#isLoading = false;
    for (const connection of this.#connections) connection.close();
  }

  async #connectAll(): Promise<void> {
    let remaining = this.#options.subscribers;
    const connectSome = async () => {
      while (remaining-- > 0) await this.#connectSubscriber();
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
    await this.#connectPublisher();
  }

  async #connectSubscriber(): Promise<void> {
    const dialogue = this.#options.peer.subscribe(ROOM);
    const connection = await this.#connect();
    const ready = Promise.withResolvers<void>();
    const subscriber = new Subscriber({ connection, dialogue, ledger: this.#ledger, onReady: ready.resolve });
    const name = `subscriber ${this.#subscribers.push(subscriber)}`;
    connection.listen({
      onText: (message) => subscriber.hear(message),
      onFailure: (error) => this.#fail(`${name}, which ${subscriber.position}`, error),
    });
    if (dialogue.opening !== undefined) connection.send(dialogue.opening);
    await ready.promise;
  }

  async #connectPublisher(): Promise<void> {
    const dialogue = this.#options.peer.publish(ROOM);
    const connection = await this.#connect();
    const ready = Promise.withResolvers<void>();
    const decoder = new TextDecoder();
    connection.listen({
      onText: ({ bytes, start, end }) => {
        const heard = dialogue.hear(decoder.decode(bytes.subarray(start, end)));
        if (heard.reply !== undefined) connection.send(heard.reply);
        if (heard.kind === "ready") ready.resolve();
        if (heard.kind === "published") this.#answer();
      },
      onFailure: (error) => this.#fail("the publisher", error),
    });
    if (dialogue.opening !== undefined) connection.send(dialogue.opening);
    await ready.promise;
    this.#publisher = { connection, dialogue };
  }

  async #connect(): Promise<Connection> {
    const { peer, server } = this.#options;
    const connection = await Connection.open({ ...peer, port: server.port });
    this.#connections.push(connection);
    return connection;
  }

  /**
   * Publishes until one message has come to every subscriber. Servers need not say
   * when a subscription is live, so its first delivery says it.
   */
  async #untilLive(): Promise<void> {
    const deadline = performance.now() + LIVE_MS;
    while (this.#completed === 0) {
      if (performance.now() > deadline) throw this.#stall("get a message to everybody", LIVE_MS);
      this.#publish();
      await this.#sleep(LIVE_POLL_MS);
    }
    await this.#drain();
    const frameBytes = Math.max(...this.#subscribers.map((subscriber) => subscriber.frameBytes));
    this.#paddingBytes = Math.max(0, FRAME_BYTES - frameBytes);
  }

  #publish(): void {
    if (this.#publisher === undefined) throw new Error("Cannot publish before the publisher is connected");
    const { connection, dialogue } = this.#publisher;
    connection.send(dialogue.send(this.#ledger.publish(this.#paddingBytes)));
  }

  #complete(sequence: number): void {
    // Those before it that came to nobody or to some were published before all were live.
    this.#completed = sequence + 1;
    if (this.#isLoading) this.#publish();
    this.#onProgress();
  }

  #answer(): void {
    this.#answers++;
    this.#onProgress();
  }

  /** Waits until every message has come to every subscriber and every publish was answered. */
  async #drain(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    const { published } = this.#ledger;
    while (this.#completed < published || this.#answers < published) {
      const limitMs = deadline - performance.now();
      if (limitMs <= 0) throw this.#stall("finish", DRAIN_MS);
      await this.#within(limitMs, this.#untilProgress());
    }
  }

  #untilProgress(): Promise<void> {
    return new Promise((resolve) => {
      this.#onProgress = resolve;
    });
  }

  #stall(what: string, afterMs: number): Error {
    const positions = this.#subscribers.map(({ position }, index) => ({ name: `subscriber ${index + 1}`, position }));
    const late = positions.filter(({ position }) => position !== `waits for message ${this.#ledger.published}`);
    const [first] = late;
    return new Error(
      `Cannot ${what} within ${afterMs} ms: of ${this.#ledger.published} messages ${this.#answers} were answered, and ` +
        `${late.length} subscribers lack some (${first === undefined ? "none" : `${first.name} ${first.position}`})`,
    );
  }

  #sample(): Omit<Measurement, "frameBytes"> {
    return {
      deliveries: this.#ledger.deliveries,
      elapsedSeconds: performance.now() / 1_000,
      serverCpuSeconds: readTreeCpuSeconds(this.#options.server.pid),
      generatorCpuSeconds: readOwnCpuSeconds(Deno.pid),
      machineCpuSeconds: readMachineCpuSeconds(),
    };
  }

  #fail(who: string, cause: Error): void {
    this[Symbol.dispose]();
    this.#failure.reject(new Error(`${this.#options.peer.name} failed at ${who}: ${cause.message}`, { cause }));
  }

  async #sleep(ms: number): Promise<void> {
    await this.#within(ms, new Promise<void>(() => {}));
  }

  /** Waits for the promise, no longer than the limit; false when it was too late. Throws the failure, if any. */
  async #within(limitMs: number, promise: Promise<void>): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), limitMs);
    try {
      return await Promise.race([promise.then(() => true), late, this.#failure.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
