import type { CutClient, CutClientKind, CutSink } from "./cut_client.ts";
import type { HistoryChecker } from "./history_checker.ts";
import type { PacedSender } from "./paced_sender.ts";
import { Tally } from "./tally.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** What a subject is made of. */
export interface CutSubjectDeps {
  readonly name: string;
  readonly kind: CutClientKind;
  readonly port: number;
  /** Followed over one client; names to the checker are made of them. */
  readonly rooms: readonly string[];
  readonly checker: HistoryChecker;
  readonly sender: PacedSender;
  readonly random: () => number;
}

/**
 * One client under test, on a network of its own that fails on command.
 *
 * What happens to it is told to the checker; what it waits for resolves with the event
 * itself. It has two ways to the server, of which one is in use.
 */
export class CutSubject implements AsyncDisposable {
  readonly name: string;
  readonly kind: CutClientKind;
  readonly random: () => number;
  readonly sender: PacedSender;
  /** Connections ended so far. */
  cuts = 0;
  /** How often a subscription has gone on over a new connection so far. */
  returns = 0;
  /** How many messages are sent before it comes back, each time. */
  awayMessages = 0;
  /** Rejects when a subscription ends for good. */
  readonly gone: Promise<never>;
  readonly #deps: CutSubjectDeps;
  readonly #ways: [used: TcpProxy, spare: TcpProxy];
  readonly #tally = new Tally<"opened" | "told" | "delivered">();
  readonly #gone = Promise.withResolvers<never>();
  #generation = 0;
  #client!: CutClient;
  #followed: Followed[] = [];
  #refusals = 0;
  #openedAtCut = 0;

  private constructor(deps: CutSubjectDeps, ways: [TcpProxy, TcpProxy]) {
    this.#deps = deps;
    this.#ways = ways;
    this.name = deps.name;
    this.kind = deps.kind;
    this.random = deps.random;
    this.sender = deps.sender;
    this.gone = this.#gone.promise;
    // It may go when nobody looks any more.
    this.gone.catch(() => {});
    this.#begin();
  }

  static async start(deps: CutSubjectDeps): Promise<CutSubject> {
    return new CutSubject(deps, [await TcpProxy.start(deps.port), await TcpProxy.start(deps.port)]);
  }

  /** The way in use. */
  get network(): TcpProxy {
    return this.#ways[0];
  }

  /** A whole number from 0, below the limit. */
  upTo(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** Ends all connections of the way in use, by a reset or an orderly end. */
  cut(): void {
    this.#countCut();
    this.network.cut(this.random() < 0.5 ? "rst" : "fin");
  }

  /** Refuses the next attempts to come back. */
  refuse(attempts: number): void {
    this.#refusals = attempts;
    this.network.refuse();
  }

  /** The client gives up its connection, which nobody else misses yet, and takes the other way; returns the old one. */
  leave(): TcpProxy {
    this.#countCut();
    this.#ways.reverse();
    this.#client.leave!();
    return this.#ways[1];
  }

  /** Ends the client, and puts a new one in its place; resolves when the checker holds the server to all of it. */
  async renew(): Promise<void> {
    await this.#end();
    this.#begin();
    await this.live();
  }

  /** Resolves when all subscriptions have been live. */
  async live(): Promise<void> {
    await Promise.all(this.#followed.map(({ live }) => live));
  }

  /** Resolves when all subscriptions have come back over connections made after the last cut. */
  async back(): Promise<void> {
    await Promise.all(this.#followed.map(({ tally }) => tally.next("back")));
  }

  /** Resolves when a connection made after the last cut is open, acknowledged or not. */
  opened(): Promise<void> {
    return this.#tally.next("opened");
  }

  /** Resolves when so many messages have come over any subscription. */
  delivered(count: number): Promise<void> {
    return this.#tally.next("delivered", count);
  }

  /** Resolves when the server has told where it is, once more than now; a receipt may be on its way. */
  told(): Promise<void> {
    return this.#tally.next("told");
  }

  /** Resolves when every subscription has what the sender sends last, to its room and to everyone. */
  async finished(): Promise<void> {
    await Promise.all(this.#followed.map(({ tally }) => tally.next("last", 2)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#end();
    // Whatever state it is in: without a network it ends.
    await Promise.all(this.#ways.map((way) => way[Symbol.asyncDispose]()));
    await ended;
  }

  #begin(): void {
    const { name, kind, rooms } = this.#deps;
    const generation = ++this.#generation;
    this.#client = kind.create({
      url: () => `http://127.0.0.1:${this.network.port}/graphql`,
      userId: name,
      mayReturn: () => this.#mayReturn(),
      onOpened: () => {
        if (this.#isNew()) this.#tally.add("opened");
      },
    });
    this.#followed = rooms.map((room) => this.#follow(room, `${name}.${generation} in ${room}`));
  }

  async #end(): Promise<void> {
    for (const { stop } of this.#followed) stop();
    await this.#client[Symbol.asyncDispose]();
  }

  #follow(room: string, name: string): Followed {
    const { checker, kind: { name: client, exactlyOnce } } = this.#deps;
    const tally: Followed["tally"] = new Tally();
    const { promise: live, resolve: onLive } = Promise.withResolvers<void>();
    let isLive = false;
    let hasEnded = false;
    const begin = (): void => {
      if (!isLive) checker.live(name);
      isLive = true;
      onLive();
    };
    const sink: CutSink = {
      connected: () => {
        // Without this nothing has come that could come again.
        if (isLive) checker.resumed(name);
        if (isLive) this.returns++;
        if (this.#isNew()) tally.add("back");
      },
      told: () => {
        begin();
        this.#tally.add("told");
      },
      noticed: (notice) => checker.noticed(name, notice),
      delivered: (message, notice) => {
        if (hasEnded) return;
        begin();
        checker.delivered(name, message, notice);
        this.#tally.add("delivered");
        if (message.content.startsWith("last")) tally.add("last");
      },
      failed: (error) => this.#gone.reject(new Error(`${name} has given up`, { cause: error })),
    };
    checker.subscribed(name, { room, client, exactlyOnce });
    const unsubscribe = this.#client.follow(room, sink);
    const stop = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      unsubscribe();
      checker.ended(name);
    };
    return { tally, live, stop };
  }

  async #mayReturn(): Promise<void> {
    if (this.#refusals-- > 0) return;
    await this.sender.next(this.awayMessages);
    await this.network.accept();
  }

  #countCut(): void {
    if (this.network.counters.open > 0) this.cuts++;
    this.#openedAtCut = this.#opened;
  }

  /** Whether what comes is of a connection made after the last cut, and not of one that has not noticed it yet. */
  #isNew(): boolean {
    return this.#opened > this.#openedAtCut;
  }

  get #opened(): number {
    return this.#ways[0].counters.opened + this.#ways[1].counters.opened;
  }
}

/** One subscription of the client of the moment. */
interface Followed {
  readonly tally: Tally<"back" | "last">;
  readonly live: Promise<void>;
  readonly stop: () => void;
}
