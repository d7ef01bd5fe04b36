import { BROADCAST, SEND } from "./documents.ts";
import type { HistoryChecker } from "./history_checker.ts";
import type { ServerProcess } from "./server_process.ts";
import { Tally } from "./tally.ts";

/** What a sender needs. */
export interface PacedSenderDeps {
  readonly server: ServerProcess;
  readonly checker: HistoryChecker;
  readonly rooms: readonly string[];
  readonly random: () => number;
}

/** Messages a second: a new rate between these after each burst. */
const RATE = { least: 50, most: 200 };
const BURST_MESSAGES = 50;
/** One message in so many goes to everyone. */
const EVERYONE = 10;
/** Sends that may wait for their answers; more than one, so that sends overlap. */
const MAX_IN_FLIGHT = 16;
/** How far the pace may fall behind before what is late is left out, in milliseconds. */
const MAX_LATE_MS = 50;
/** Users who send, so that none sends more than one may. */
const SENDERS = 20;

/**
 * Sends messages straight to a server, 50 to 200 a second, as its seed says.
 *
 * To rooms and to everyone, by POST; each is announced to the checker, and so is each
 * answer. Its pace is the one timer of a run: between two messages it waits.
 */
export class PacedSender {
  readonly #deps: PacedSenderDeps;
  readonly #tally = new Tally<"answered">();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #running = Promise.withResolvers<void>();
  #sent = 0;
  #stopped = false;
  #failure: unknown;

  constructor(deps: PacedSenderDeps) {
    this.#deps = deps;
  }

  /** Begins to send, until `finish`. Called once. */
  start(): void {
    this.#run().then(this.#running.resolve);
  }

  /** Resolves when so many more than now have been answered, or nothing more is sent. */
  async next(count: number): Promise<void> {
    await Promise.race([this.#tally.next("answered", count), this.#running.promise]);
  }

  /**
   * Stops, and sends each room and everyone a last message, whose content begins with "last".
   *
   * @throws what the first send without a proper answer failed with
   */
  async finish(): Promise<void> {
    this.#stopped = true;
    await this.#running.promise;
    for (const room of [...this.#deps.rooms, null]) this.#send(`last to ${room ?? "everyone"}`, room);
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(): Promise<void> {
    const { rooms, random } = this.#deps;
    let gapMs = 0;
    let dueMs = performance.now();
    while (!this.#stopped && this.#failure === undefined) {
      if (this.#sent % BURST_MESSAGES === 0) gapMs = 1_000 / (RATE.least + random() * (RATE.most - RATE.least));
      const toEveryone = random() < 1 / EVERYONE;
      const room = toEveryone ? null : rooms[Math.floor(random() * rooms.length)]!;
      this.#send(String(this.#sent), room);
      dueMs = Math.max(dueMs + gapMs, performance.now() - MAX_LATE_MS);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      if (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight);
    }
    await Promise.all(this.#inFlight);
  }

  #send(content: string, room: string | null): void {
    const userId = `sender-${this.#sent++ % SENDERS}`;
    this.#deps.checker.sent({ content, room });
    const answer = this.#post({ content, room }, userId)
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => this.#inFlight.delete(answer));
    this.#inFlight.add(answer);
  }

  async #post(message: { content: string; room: string | null }, userId: string): Promise<void> {
    const { server, checker } = this.#deps;
    const query = message.room === null ? BROADCAST : SEND;
    const { body } = await server.post(query, message, { "x-user-id": userId });
    if (body.errors !== undefined) throw new AggregateError(body.errors, `Cannot send "${message.content}"`);
    checker.acknowledged(message.content, (body.data.sendMessage ?? body.data.broadcast).message.id);
    this.#tally.add("answered");
  }
}
