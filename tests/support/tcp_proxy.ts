import { once } from "node:events";
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
    const count: Network["count"] = (what, bytes) => this.#count(what, bytes);
    this.#network = { clock, count, stalled: undefined, bytesPerSecond: Infinity };
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
   * `rst`: each peer reads ECONNRESET, maybe instead of bytes it had not read. `fin`:
   * each reads what was handed on, then the end; what it still writes vanishes.
   */
  cut(how: "rst" | "fin" = "rst"): void {
    for (const pair of this.#pairs) {
      this.#forget(pair);
      for (const socket of pair.sockets) endSocket(socket, how);
    }
  }

  /** Hands nothing on any more, no end and no reset either; bytes queue here, then at their senders. */
  stall(directions: Direction | "both" = "both"): void {
    this.#pump(() => this.#network.stalled = directions);
  }

  /** Undoes {@linkcode stall}: what was queued goes on. */
  resume(): void {
    this.#pump(() => this.#network.stalled = undefined);
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
    this.#pump(() => this.#network.bytesPerSecond = bytesPerSecond);
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
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), "close")));
  }

  #acceptFrom(listener: Server): void {
    this.#listener = listener;
    listener.on("connection", (client) => this.#connect(client));
  }

  #connect(client: Socket): void {
    const server = net.connect({ host: HOST, port: this.targetPort, allowHalfOpen: true, noDelay: true });
    const toServer = createPipe(client, server, "toServer", this.#network);
    const toClient = createPipe(server, client, "toClient", this.#network);
    const pair: Pair = { sockets: [client, server], pipes: [toServer, toClient], connected: false };
    this.#pairs.add(pair);
    server.once("connect", () => {
      if (!this.#pairs.has(pair)) return;
      pair.connected = true;
      this.counters.open++;
      this.#count("opened", 1);
    });
    for (const socket of pair.sockets) {
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        if (client.destroyed && server.destroyed) this.#forget(pair);
      });
    }
  }

  /** Nothing goes through this pair any more. */
  #forget(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    for (const pipe of pair.pipes) pipe.lose("discarded");
    if (pair.connected) this.#count("open", -1);
  }

  /** Changes the network, for what it holds back too. */
  #pump(change: () => void): void {
    change();
    for (const { pipes } of this.#pairs) for (const pipe of pipes) pipe.pump();
  }

  #count(what: keyof TcpProxyCounters, more: number): void {
    this.counters[what] += more;
    for (const look of this.#waiting) look();
  }
}

/** What holds for all connections. */
interface Network {
  readonly clock: Clock;
  readonly count: (what: Direction | "swallowed", bytes: number) => void;
  stalled: Direction | "both" | undefined;
  bytesPerSecond: number;
}

/** A client's connection, and the one made to the server for it. */
interface Pair {
  readonly sockets: readonly Socket[];
  readonly pipes: readonly [toServer: Pipe, toClient: Pipe];
  connected: boolean;
}

type Pipe = ReturnType<typeof createPipe>;
/** One direction of one connection. */
function createPipe(source: Socket, target: Socket, direction: Direction, network: Network) {
  const held: Uint8Array[] = [];
  let ended: "fin" | "rst" | undefined;
  let lost: "swallowed" | "discarded" | undefined;
  let full = false;
  let cancelTick: Cancel | undefined;

  function pump(): void {
    if (network.bytesPerSecond === Infinity) endTick();
    for (const { length } of lost === undefined ? [] : held.splice(0)) {
      if (lost === "swallowed") network.count(lost, length);
    }
    const stalled = lost === undefined && (network.stalled === direction || network.stalled === "both");
    while (held.length > 0 && !stalled && !full && cancelTick === undefined) pass();
    if (stalled || held.length > 0) return void source.pause();
    source.resume();
    if (ended !== undefined && lost === undefined) endSocket(target, ended);
    ended = undefined;
  }
  function endTick(): void {
    cancelTick?.();
    cancelTick = undefined;
  }
  function pass(): void {
    const first = held.shift()!;
    const share = Math.max(1, Math.floor(network.bytesPerSecond * TICK_MS / 1_000));
    if (first.length > share) held.unshift(first.subarray(share));
    if (share !== Infinity) cancelTick = network.clock.after(TICK_MS, () => (endTick(), pump()));
    const bytes = first.subarray(0, share);
    if (target.destroyed) return;
    full = !target.write(bytes, (error) => !error && network.count(direction, bytes.length));
  }

  source.on("data", (bytes: Uint8Array) => (held.push(bytes), pump()));
  source.on("end", () => (ended = "fin", pump()));
  source.on("error", () => (ended = "rst", pump()));
  target.on("drain", () => (full = false, pump()));
  pump();
  /** From now on everything is read, and nothing handed on. */
  const lose = (how: typeof lost) => (lost = how, endTick(), pump());
  return { pump, lose };
}

function endSocket(socket: Socket, how: "fin" | "rst"): void {
  if (how === "fin") socket.end();
  else if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

async function listenAt(port: number): Promise<Server> {
  const listener = net.createServer({ allowHalfOpen: true, noDelay: true });
  await once(listener.listen(port, HOST), "listening");
  return listener;
}
