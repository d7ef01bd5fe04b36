import type { Peer } from "../peers/peer.ts";
import type { ServerProcess } from "../peers/server_process.ts";
import { Crowd, type CrowdOptions } from "./crowd.ts";
import type { Filler } from "./filler.ts";
import { type Measurement, type Reading, readNow, subtract } from "./measurement.ts";
import { Publisher } from "./publisher.ts";
import { Traffic } from "./traffic.ts";
import { Trouble } from "./trouble.ts";

/** Whom to load, with how many. */
export interface GeneratorOptions {
  readonly peer: Peer;
  readonly server: ServerProcess;
  /** @default {1} */
  readonly rooms?: number;
  readonly subscribersPerRoom: number;
  /** @default {1} */
  readonly roomsPerConnection?: number;
  /** How subscribers receive. @default {"websocket"} */
  readonly over?: CrowdOptions["over"];
  /** Bytes of each content; without it contents are padded until a delivery has `FRAME_BYTES` on the wire. */
  readonly contentBytes?: number;
  /** What contents are padded with. @default {fillWithDots} */
  readonly filler?: Filler;
  /** Called for each delivery, with the moment its message was due. */
  readonly onDelivery?: (dueMs: number) => void;
}

/** How to load. */
export interface LoadOptions {
  /** Messages published and not yet delivered to every subscriber. */
  readonly inFlight: number;
  /** What ends it: so many messages, or so many seconds after warming up. */
  readonly until: { readonly messages: number } | { readonly seconds: number };
}

/** A server that is too slow for what was asked of it; nothing it did was wrong. */
export class TooSlowError extends Error {
  override readonly name = "TooSlowError";
}

/** What a delivery shall have on the wire, unless it has more without padding. */
const FRAME_BYTES = 195;
/** How long connecting may take: this, and so much for each subscription. */
const OPEN_MS = { once: 20_000, each: 8 };
/** Rooms whose first messages are under way at once. */
const FIRST_MESSAGES = 64;
/** How often a message is published until every subscriber is live; each subscriber adds to it. */
const LIVE_POLL_MS = { once: 100, each: 0.05 };
const LIVE_MS = 20_000;
/** Load before measuring by time, so that both sides are compiled and warm. */
const WARM_UP_MS = 1_000;
const DRAIN_MS = 15_000;

/** Fills rooms with subscribers, publishes to them, and checks every delivery. */
export class LoadGenerator implements Disposable {
  readonly traffic: Traffic;
  readonly trouble = new Trouble();
  readonly #options: GeneratorOptions;
  readonly #crowd: Crowd;
  readonly #publisher: Promise<Publisher>;

  private constructor(options: GeneratorOptions) {
    const { peer, server: { port }, rooms = 1, subscribersPerRoom, roomsPerConnection = 1, over = "websocket" } =
      options;
    const fail = (error: Error) => this.#fail(error);
    this.#options = options;
    this.traffic = new Traffic({ ...options, rooms });
    if (options.contentBytes !== undefined) this.traffic.contentBytes = options.contentBytes;
    const { ledgers } = this.traffic;
    this.#crowd = new Crowd({ peer, port, ledgers, subscribersPerRoom, roomsPerConnection, over, onFailure: fail });
    const onFailure = (error: Error) => fail(new Error(`the publisher: ${error.message}`, { cause: error }));
    this.#publisher = Publisher.open({ peer, port, onAnswer: () => this.traffic.answer(), onFailure });
    this.#publisher.catch(onFailure);
  }

  /** Connects everybody; resolves when every subscriber receives. */
  static async open(options: GeneratorOptions): Promise<LoadGenerator> {
    const generator = new LoadGenerator(options);
    try {
      await generator.#untilOpen();
      await generator.#untilLive();
      return generator;
    } catch (error) {
      generator[Symbol.dispose]();
      throw error;
    }
  }

  /** Keeps that many messages in flight and measures; resolves when every message has come everywhere. */
  async load({ inFlight, until }: LoadOptions): Promise<Measurement> {
    const publisher = await this.#publisher;
    let remaining = "messages" in until ? until.messages : Infinity;
    const publish = () => {
      if (remaining-- > 0) this.traffic.publish(publisher);
    };
    let before = this.#read();
    this.traffic.onComplete = publish;
    for (let count = 0; count < inFlight; count++) publish();
    let after: Reading | undefined;
    if ("seconds" in until) {
      await this.trouble.sleep(WARM_UP_MS);
      before = this.#read();
      await this.trouble.sleep(until.seconds * 1_000);
      after = this.#read();
      remaining = 0;
    }
    await this.#drain("messages" in until ? LIVE_MS + until.messages : DRAIN_MS);
    return this.#measure(before, after ?? this.#read());
  }

  /** Publishes what the steps say, one after the other; measures from the first to the end of the last. */
  async follow(steps: AsyncIterable<{ readonly dueMs: number }>): Promise<Measurement> {
    const publisher = await this.#publisher;
    this.traffic.onComplete = () => {};
    let before: Reading | undefined;
    for await (const { dueMs } of steps) {
      before ??= this.#read();
      this.traffic.publish(publisher, dueMs);
    }
    const after = this.#read();
    await this.#drain(DRAIN_MS);
    return this.#measure(before ?? after, after);
  }

  /** Ends every connection. Safe to call twice. */
  [Symbol.dispose](): void {
    this.#crowd[Symbol.dispose]();
    this.#publisher.then((publisher) => publisher.close(), () => {});
  }

  async #untilOpen(): Promise<void> {
    const { rooms = 1, subscribersPerRoom } = this.#options;
    const limitMs = OPEN_MS.once + OPEN_MS.each * rooms * subscribersPerRoom;
    if (await this.trouble.within(limitMs, Promise.all([this.#publisher, this.#crowd.connect()]))) return;
    const { length } = this.#crowd.subscribers;
    throw this.#tooSlow(`connect more than ${length} connections within ${limitMs} ms`);
  }

  /**
   * Publishes to each room until one message has come to all its subscribers. Servers
   * need not say when a subscription is live, so its first delivery says it.
   */
  async #untilLive(): Promise<void> {
    const { ledgers } = this.traffic;
    const publisher = await this.#publisher;
    const pollMs = LIVE_POLL_MS.once + LIVE_POLL_MS.each * this.#options.subscribersPerRoom;
    const deadline = performance.now() + LIVE_MS;
    for (let first = 0; first < ledgers.length; first += FIRST_MESSAGES) {
      const rooms = [...ledgers.keys()].slice(first, first + FIRST_MESSAGES);
      const silent = () => rooms.filter((room) => ledgers[room]?.completed === 0);
      while (silent().length > 0) {
        if (performance.now() > deadline) throw this.#tooSlow(`get a message to everybody within ${LIVE_MS} ms`);
        for (const room of silent()) this.traffic.publishTo(room, publisher);
        await this.trouble.within(pollMs, this.#until(() => silent().length === 0));
      }
    }
    await this.#drain(DRAIN_MS);
    if (this.#options.contentBytes !== undefined) return;
    this.traffic.contentBytes += Math.max(0, FRAME_BYTES - this.#frameBytes);
  }

  /** Waits until every message has come to every subscriber and every publish was answered. */
  async #drain(limitMs: number): Promise<void> {
    if (await this.trouble.within(limitMs, this.#until(() => this.traffic.isQuiet))) return;
    const late = this.#crowd.subscribers.map(({ lack }, index) => ({ lack, name: `subscriber ${index + 1}` }))
      .filter(({ lack }) => lack !== undefined);
    const [first] = late;
    throw new Error(
      `Cannot finish ${this.#options.peer.name} within ${limitMs} ms: ${this.traffic.summary}; ` +
        `${late.length} subscribers lack some (${first === undefined ? "none" : `${first.name} ${first.lack}`})`,
    );
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.traffic.onProgress = () => {};
        resolve();
      };
      this.traffic.onProgress = look;
      look();
    });
  }

  get #frameBytes(): number {
    return this.#crowd.subscribers.reduce((most, { frameBytes }) => Math.max(most, frameBytes), 0);
  }

  #read(): Reading {
    return readNow(this.#options.server.pid, { ...this.traffic.progress, ...this.#crowd.progress });
  }

  #measure(before: Reading, after: Reading): Measurement {
    return { ...subtract(after, before), frameBytes: this.#frameBytes };
  }

  #tooSlow(what: string): TooSlowError {
    return new TooSlowError(`Cannot ${what}: ${this.#options.peer.name} was too slow; ${this.traffic.summary}`);
  }

  #fail(cause: Error): void {
    this[Symbol.dispose]();
    this.trouble.fail(new Error(`${this.#options.peer.name} failed at ${cause.message}`, { cause }));
  }
}
