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
  /** How many requests of a connection are in work, while there are any: they may come several at once. */
  readonly #inWork = new Map<Socket, number>();
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
    if (this.#inWork.has(socket)) this.#inWork.set(socket, Infinity);
  }

  /** Watches a request that is to be answered on its connection, and then that for the next one. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#heard(socket);
    this.#inWork.set(socket, (this.#inWork.get(socket) ?? 0) + 1);
    let takenBytes: number | undefined;
    const look = (): void => {
      if (!request.complete) return cutLate(response, socket);
      const waiting = response.writableLength;
      // What waits counts as written already.
      const taken = waiting === 0 ? undefined : socket.bytesWritten - waiting;
      if (taken !== undefined && taken === takenBytes) return void socket.destroy();
      takenBytes = taken;
      // Of one large piece it is not seen how much has been taken: it gets the time for all of it.
      cancel = this.#deps.clock.after(LOOK_MS + waiting / READ_RATE, look);
    };
    let cancel = this.#deps.clock.after(LOOK_MS, look);
    response.once("close", () => {
      cancel();
      this.#answered(socket);
    });
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

  #answered(socket: Socket): void {
    const left = (this.#inWork.get(socket) ?? 0) - 1;
    if (left > 0) return void this.#inWork.set(socket, left);
    this.#inWork.delete(socket);
    if (this.#open.has(socket)) this.#await(socket);
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

/** A listener that is told on which socket it was called. */
function listener(call: (socket: Socket) => void): (this: Socket) => void {
  return function () {
    call(this);
  };
}
