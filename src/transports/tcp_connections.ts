import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { AddressCounts } from "./address_counts.ts";
import { type ClientAddresses, networkOf } from "./client_address.ts";
import type { LimitNotices } from "./limit_notices.ts";
import type { Cancel, Clock } from "../core/clock.ts";

/** What watching TCP connections needs. */
export interface TcpConnectionsDeps {
  readonly clock: Clock;
  /** TCP connections that may be open at once; one more is cut at once. */
  readonly maxConnections: number;
  /** The same by network; a proxy's are not counted: it speaks for many. */
  readonly networks: AddressCounts;
  readonly addresses: ClientAddresses;
  readonly notices: LimitNotices;
}

/** How long a connection may take until its next request, or its first, has come with all headers, in milliseconds. */
const REQUEST_MS = 10_000;
/** How long a request's body may take; and how often it is seen whether the answer is read. In milliseconds. */
const LOOK_MS = 30_000;
/** How fast what waits must be read, in bytes a millisecond: a slow phone does. */
const READ_RATE = 32;
/** Requests that may wait on a connection for the one before them: hardly any client sends one before its answer. */
const MAX_WAITING = 4;

/**
 * All TCP connections of the server, whatever became of them.
 *
 * A peer that says nothing, or next to nothing, or does not read its answer, costs a
 * file descriptor and memory, and a server on Deno that has run out of descriptors
 * accepts nobody any more, for good. So they are counted, and each one that owes
 * something has a bounded time for it, however busy it looks. What has become a
 * WebSocket owes nothing here: the heartbeat watches those.
 */
export class TcpConnections {
  readonly #deps: TcpConnectionsDeps;
  /** Each with the network it is counted under; a socket that has closed no longer knows it. */
  readonly #open = new Map<Socket, string | undefined>();
  /** Those from which a request is still to come, each with the end of its patience. */
  readonly #silent = new Map<Socket, Cancel>();
  /** Those of which a request is in work, each with what begins the ones that came behind it. */
  readonly #inWork = new Map<Socket, (() => void)[]>();
  /** Those that have another owner, as long as something is in work on them. */
  readonly #released = new WeakSet<Socket>();
  /** The same for all: a function for each would stay with each, whatever becomes of it. */
  readonly #onClose: (this: Socket) => void;
  #stopping = false;

  constructor(server: Server, deps: TcpConnectionsDeps) {
    this.#deps = deps;
    this.#onClose = listener((socket) => {
      const network = this.#open.get(socket);
      if (network !== undefined) deps.networks.remove(network);
      this.#open.delete(socket);
      this.#inWork.delete(socket);
      this.#heard(socket);
    });
    server.on("connection", (socket: Socket) => this.#take(socket));
  }

  /** Says that a connection has another owner from now on, who watches it. */
  release(socket: Socket): void {
    this.#heard(socket);
    // They would be answered in the middle of what its new owner says.
    if (this.#inWork.get(socket)?.length) return void socket.destroy();
    this.#released.add(socket);
  }

  /**
   * Begins to answer a request, once those before it on its connection have been answered, and watches
   * that it comes and its answer is taken; then watches for the next one.
   *
   * One at a time: answers go out in order, so all but the first would wait in memory. A
   * peer that has too many requests wait is cut; behind an answer that is the last none is begun.
   */
  serve(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    const { socket } = request;
    // One chunk may hold many requests: the parser goes on after a cut.
    if (socket.destroyed) return;
    const waiting = this.#inWork.get(socket);
    const start = (): void => {
      this.#watch(request, response, socket);
      begin();
    };
    if (waiting === undefined) {
      this.#heard(socket);
      this.#inWork.set(socket, []);
      return start();
    }
    if (waiting.length >= MAX_WAITING) return void socket.destroy();
    waiting.push(start);
  }

  /** Cuts those that have never asked for anything, and each one that still comes. */
  cutSilent(): void {
    this.#stopping = true;
    for (const socket of this.#silent.keys()) socket.destroy();
  }

  /** Cuts all. */
  cutAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #take(socket: Socket): void {
    const { maxConnections, networks, addresses, notices } = this.#deps;
    const peer = addresses.ofPeer(socket);
    const network = addresses.trusts(peer) ? undefined : networkOf(peer);
    const isTooMany = this.#open.size >= maxConnections || (network !== undefined && networks.isFull(network));
    if (this.#stopping || isTooMany) {
      if (isTooMany) notices.note("connections", networkOf(peer));
      socket.destroy();
      return;
    }
    this.#open.set(socket, network);
    if (network !== undefined) networks.add(network);
    this.#await(socket);
    socket.on("close", this.#onClose);
  }

  #heard(socket: Socket): void {
    this.#silent.get(socket)?.();
    this.#silent.delete(socket);
  }

  #watch(request: IncomingMessage, response: ServerResponse, socket: Socket): void {
    let owedBytes = 0;
    const look = (): void => {
      if (!request.complete) return cutLate(response, socket);
      const waiting = response.writableLength;
      // What waits counts as written already.
      const taken = socket.bytesWritten - waiting;
      if (waiting > 0 && taken < owedBytes) return void socket.destroy();
      // Of one large piece it is not seen how much has been taken: it gets the time for all of it.
      const patience = LOOK_MS + waiting / READ_RATE;
      // A stream may have nothing more to say: of it, what waits is owed. Of all else, what its time allows.
      owedBytes = waiting === 0 ? 0 : isStream(response) ? socket.bytesWritten : taken + patience * READ_RATE;
      cancel = this.#deps.clock.after(patience, look);
    };
    let cancel = this.#deps.clock.after(LOOK_MS, look);
    response.once("close", () => {
      cancel();
      this.#answered(socket);
    });
  }

  #answered(socket: Socket): void {
    const waiting = this.#inWork.get(socket);
    // It has closed, or it closes after this answer.
    if (waiting === undefined || !socket.writable) return void this.#inWork.delete(socket);
    const next = waiting.shift();
    if (next !== undefined) return next();
    this.#inWork.delete(socket);
    if (!this.#released.has(socket)) this.#await(socket);
  }

  #await(socket: Socket): void {
    this.#silent.set(socket, this.#deps.clock.after(REQUEST_MS, () => socket.destroy()));
  }
}

/** Ends a connection whose request never comes to its end; says why where nothing has been said yet. */
function cutLate(response: ServerResponse, socket: Socket): void {
  if (response.headersSent) return void socket.destroy();
  response.writeHead(408, { "connection": "close" });
  response.end(() => socket.destroy());
}

/** Whether an answer goes on for as long as its reader wants. */
function isStream(response: ServerResponse): boolean {
  return !response.writableEnded && !response.hasHeader("content-length");
}

/** A listener that is told on which socket it was called. */
function listener(call: (socket: Socket) => void): (this: Socket) => void {
  return function () {
    call(this);
  };
}
