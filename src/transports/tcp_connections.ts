import type { Server } from "node:http";
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

/** How long a connection may say nothing before its first request, in milliseconds. */
const SILENT_MS = 10_000;

/**
 * All TCP connections of the server, whatever became of them.
 *
 * A peer that connects and says nothing costs a file descriptor, and a server on Deno
 * that has run out of them accepts nobody any more, for good. So they are counted, and
 * the silent ones cut.
 */
export class TcpConnections {
  readonly #deps: TcpConnectionsDeps;
  /** Each with the network it is counted under; a socket that has closed no longer knows it. */
  readonly #open = new Map<Socket, string | undefined>();
  /** Those that have sent no request yet, each with the end of its patience. */
  readonly #silent = new Map<Socket, Cancel>();
  /** The same for all: a function for each would stay with each, whatever becomes of it. */
  readonly #onClose: (this: Socket) => void;
  #stopping = false;

  constructor(server: Server, deps: TcpConnectionsDeps) {
    this.#deps = deps;
    this.#onClose = listener((socket) => {
      const network = this.#open.get(socket);
      if (network !== undefined) deps.networks.remove(network);
      this.#open.delete(socket);
      this.heard(socket);
    });
    server.on("connection", (socket: Socket) => this.#take(socket));
  }

  /** Says that a connection has sent a request. */
  heard(socket: Socket): void {
    this.#silent.get(socket)?.();
    this.#silent.delete(socket);
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
    const { clock, maxConnections, networks, addresses, notices } = this.#deps;
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
    this.#silent.set(socket, clock.after(SILENT_MS, () => socket.destroy()));
    socket.on("close", this.#onClose);
  }
}

/** A listener that is told on which socket it was called. */
function listener(call: (socket: Socket) => void): (this: Socket) => void {
  return function () {
    call(this);
  };
}
