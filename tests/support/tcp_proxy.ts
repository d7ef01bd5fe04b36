import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { deadline } from "@std/async/deadline";
import { type Cancel, type Clock, systemClock } from "../../src/core/clock.ts";

/** Which way bytes go. */
export type Direction = "toServer" | "toClient";

/** What a proxy has seen since it started. */
export interface TcpProxyCounters {
  /** Connections that reached the server. */
  opened: number;
  /** Those of them that have neither been cut nor closed by both sides. */
  open: number;
  /** Bytes handed to the receiver's socket. */
  toServer: number;
  toClient: number;
  /** Bytes that came from the server and vanished. */
  swallowed: number;
}

const BOTH: readonly Direction[] = ["toServer", "toClient"];
const HOST = "127.0.0.1";
/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;
/** How often a slowed direction hands on its share, in milliseconds. */
const TICK_MS = 100;

/**
 * A network that fails on command, on a loopback port in front of a server's.
 *
 * `stall`, `slow` and `refuse` are states of the network: they hold for connections
 * made later too, until undone. `cut` and `swallow` happen to the connections of the
 * moment. A half-close, or a reset, by one side reaches the other behind the bytes
 * before it; a server that refuses shows as a reset. `await using` ends everything.
 */
export class TcpProxy implements AsyncDisposable {
  /** Where clients connect; the same for the proxy's whole life. */
  readonly port: number;
  /** Where connections made from now on lead; a server that starts again may have another port. */
  targetPort: number;
  readonly counters: TcpProxyCounters = { opened: 0, open: 0, toServer: 0, toClient: 0, swallowed: 0 };
  readonly #network: Network;
  readonly #pairs = new Set<Pair>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<() => void>();
  #listener: Server | undefined;

  private constructor(targetPort: number, listener: Server, clock: Clock) {
    this.targetPort = targetPort;
    this.port = (listener.address() as AddressInfo).port;
    this.#network = {
      clock,
      stalled: new Set(),
      bytesPerSecond: Infinity,
      count: (what, bytes) => this.#change(() => this.counters[what] += bytes),
    };
    this.#acceptFrom(listener);
  }

  /** Starts a proxy in front of this port, whether or not a server listens there yet; `clock` is for `slow`. */
  static async start(targetPort: number, { clock = systemClock }: { readonly clock?: Clock } = {}): Promise<TcpProxy> {
    for (;;) {
      // Below what the system gives to outgoing connections: none is given this port while it refuses.
      const port = 10_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 5_000;
      try {
        return new TcpProxy(targetPort, await listenAt(port), clock);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      }
    }
  }

  /**
   * Ends all connections now, on both sides; what was not handed on is lost.
   *
   * `rst` is a crash: each peer reads ECONNRESET, maybe instead of bytes it had not
   * read. `fin` is a close: each peer reads what was handed on and then the end, and
   * what it still writes vanishes.
   */
  cut(how: "rst" | "fin" = "rst"): void {
    for (const pair of this.#pairs) {
      this.#forget(pair);
      for (const socket of pair.sockets) endSocket(socket, how);
    }
  }

  /** Hands nothing on any more, no end and no reset either; bytes queue here, then at their senders. */
  stall(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : BOTH) this.#network.stalled.add(direction);
    this.#pumpAll();
  }

  /** Undoes {@linkcode stall}, for both directions or those named: what was queued goes on. */
  resume(...directions: Direction[]): void {
    for (const direction of directions.length > 0 ? directions : BOTH) this.#network.stalled.delete(direction);
    this.#pumpAll();
  }

  /** Lets vanish what comes from the server, its end too, on the connections of the moment: lost in flight. */
  swallow(): void {
    for (const { pipes: [, toClient] } of this.#pairs) toClient.lose("swallowed");
  }

  /** Closes the listener: who connects now reads ECONNREFUSED. Open connections stay. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listener === undefined) this.#acceptFrom(await listenAt(this.port));
  }

  /** Hands on so many bytes a second, in each direction of each connection; `Infinity` undoes it. */
  slow(bytesPerSecond: number): void {
    this.#network.bytesPerSecond = bytesPerSecond;
    this.#pumpAll();
  }

  /** Resolves as soon as the counters are so. */
  async until(reached: (counters: TcpProxyCounters) => boolean): Promise<void> {
    if (reached(this.counters)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => reached(this.counters) && resolve();
    this.#waiting.add(look);
    await deadline(promise, PATIENCE_MS).finally(() => this.#waiting.delete(look));
  }

  /** Resolves when one more than now has been counted, or so many more: connections opened, bytes passed. */
  next(what: keyof TcpProxyCounters, count = 1): Promise<void> {
    const wanted = this.counters[what] + count;
    return this.until((counters) => counters[what] >= wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    for (const pair of this.#pairs) this.#forget(pair);
    const closed = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #acceptFrom(listener: Server): void {
    this.#listener = listener;
    listener.on("connection", (client) => this.#connect(client));
  }

  #connect(client: Socket): void {
    const server = net.connect({ host: HOST, port: this.targetPort, allowHalfOpen: true, noDelay: true });
    const sockets = [client, server] as const;
    const toServer = createPipe(client, server, "toServer", this.#network);
    const toClient = createPipe(server, client, "toClient", this.#network);
    const pair: Pair = { sockets, pipes: [toServer, toClient], connected: false };
    this.#pairs.add(pair);
    server.once("connect", () => {
      if (!this.#pairs.has(pair)) return;
      pair.connected = true;
      this.counters.open++;
      this.#change(() => this.counters.opened++);
    });
    for (const socket of sockets) {
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        if (sockets.every((one) => !this.#sockets.has(one))) this.#forget(pair);
      });
    }
  }

  /** Nothing goes through this pair any more. */
  #forget(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    for (const pipe of pair.pipes) pipe.lose("discarded");
    if (pair.connected) this.#change(() => this.counters.open--);
  }

  #pumpAll(): void {
    for (const { pipes } of this.#pairs) for (const pipe of pipes) pipe.pump();
  }

  #change(change: () => void): void {
    change();
    for (const look of this.#waiting) look();
  }
}

/** What holds for all connections. */
interface Network {
  readonly clock: Clock;
  readonly stalled: Set<Direction>;
  bytesPerSecond: number;
  readonly count: (what: Direction | "swallowed", bytes: number) => void;
}

/** A client's connection, and the one made to the server for it. */
interface Pair {
  readonly sockets: readonly [client: Socket, server: Socket];
  readonly pipes: readonly [toServer: Pipe, toClient: Pipe];
  connected: boolean;
}

/** One direction of one connection. */
interface Pipe {
  /** Hands on what may go, and reads on if all went. */
  pump(): void;
  /** From now on reads to the end and hands nothing on. */
  lose(how: Lost): void;
}

type Lost = "swallowed" | "discarded";

function createPipe(source: Socket, target: Socket, direction: Direction, network: Network): Pipe {
  let held: readonly Uint8Array[] = [];
  let ended: "fin" | "rst" | undefined;
  let lost: Lost | undefined;
  let full = false;
  let cancelTick: Cancel | undefined;

  function pump(): void {
    if (lost !== undefined) return drain();
    const stalled = network.stalled.has(direction);
    while (held.length > 0 && !stalled && !full && cancelTick === undefined) pass();
    if (stalled || held.length > 0) return void source.pause();
    source.resume();
    if (ended !== undefined) endSocket(target, ended);
    ended = undefined;
  }
  function drain(): void {
    if (lost === "swallowed") { for (const { length } of held) network.count("swallowed", length); }
    held = [];
    source.resume();
  }
  function pass(): void {
    const [first, ...rest] = held as [Uint8Array, ...Uint8Array[]];
    const share = Math.max(1, Math.floor(network.bytesPerSecond * TICK_MS / 1_000));
    held = first.length > share ? [first.subarray(share), ...rest] : rest;
    if (share !== Infinity) cancelTick = network.clock.after(TICK_MS, () => (cancelTick = undefined, pump()));
    const bytes = first.subarray(0, share);
    if (target.destroyed) return;
    full = !target.write(bytes, (error) => !error && network.count(direction, bytes.length));
  }

  source.on("data", (bytes: Uint8Array) => (held = [...held, bytes], pump()));
  source.on("end", () => (ended = "fin", pump()));
  source.on("error", () => (ended = "rst", pump()));
  target.on("drain", () => (full = false, pump()));
  pump();
  return { pump, lose: (how) => (lost = how, cancelTick?.(), pump()) };
}

function endSocket(socket: Socket, how: "fin" | "rst"): void {
  if (how === "fin") socket.end();
  // Before it is connected there is nobody to reset it to.
  else if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

async function listenAt(port: number): Promise<Server> {
  const listener = net.createServer({ allowHalfOpen: true, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  listener.once("error", reject).listen(port, HOST, resolve);
  await promise;
  return listener;
}
