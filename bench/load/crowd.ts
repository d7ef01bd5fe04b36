import type { Peer } from "../peers/peer.ts";
import { Connection } from "./connection.ts";
import { EventStream } from "./event_stream.ts";
import type { Line } from "./frame.ts";
import type { Ledger } from "./ledger.ts";
import type { Progress } from "./measurement.ts";
import { nameRoom, Subscriber, type SubscriberDeps } from "./subscriber.ts";

/** Whom to connect to a server. */
export interface CrowdOptions {
  readonly peer: Peer;
  readonly port: number;
  /** One for each room. */
  readonly ledgers: readonly Ledger[];
  readonly subscribersPerRoom: number;
  /** More than one lets a connection subscribe to several rooms. */
  readonly roomsPerConnection: number;
  /** How subscribers receive. */
  readonly over: "websocket" | "stream";
  /** Called at most once for each subscriber, when its connection ends or it has heard something wrong. */
  readonly onFailure: (error: Error) => void;
}

const CONNECTING_AT_ONCE = 25;

/** Every subscriber of every room, connected to one server. */
export class Crowd implements Disposable {
  readonly subscribers: Subscriber[] = [];
  readonly #options: CrowdOptions;
  readonly #lines: Line[] = [];
  #isClosed = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** What all subscribers have read. */
  get progress(): Pick<Progress, "reads" | "readBytes" | "deflated"> {
    const total = { reads: 0, readBytes: 0, deflated: 0 };
    for (const { reads, readBytes, deflated } of this.#lines) {
      total.reads += reads;
      total.readBytes += readBytes;
      total.deflated += deflated;
    }
    return total;
  }

  /** Connects everybody; resolves when the server has let each one in. They may not be live yet. */
  async connect(): Promise<void> {
    const seats = this.#seats();
    const connectSome = async () => {
      for (const rooms of seats) {
        if (this.#isClosed) return;
        await this.#connect(rooms);
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
  }

  /** Ends every connection. Safe to call twice. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const line of this.#lines) line.close();
  }

  /** Who is to be connected: for each connection the rooms it subscribes to. */
  *#seats(): Generator<readonly number[], void> {
    const { ledgers, subscribersPerRoom, roomsPerConnection } = this.#options;
    for (let first = 0; first < ledgers.length; first += roomsPerConnection) {
      const length = Math.min(roomsPerConnection, ledgers.length - first);
      const rooms = Array.from({ length }, (_, index) => first + index);
      for (let count = 0; count < subscribersPerRoom; count++) yield rooms;
    }
  }

  async #connect(rooms: readonly number[]): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const { line, opening, ...conversation } = await this.#open(rooms);
    if (this.#isClosed) return line.close();
    this.#lines.push(line);
    const ledgers = new Map(rooms.map((room) => [room, this.#ledger(room)]));
    const subscriber = new Subscriber({ ...conversation, line, ledgers, onReady: ready.resolve });
    const name = `subscriber ${this.subscribers.push(subscriber)}`;
    line.listen({
      onMessage: (message) => subscriber.hear(message),
      onFailure: (cause) => {
        const lack = subscriber.lack ?? "has got everything";
        this.#options.onFailure(new Error(`${name}, which ${lack}: ${cause.message}`, { cause }));
      },
    });
    if (opening !== undefined) line.send(opening);
    // A stream is let in with the head of its answer, which has come.
    if (line instanceof EventStream) ready.resolve();
    await ready.promise;
  }

  async #open(
    rooms: readonly number[],
  ): Promise<Pick<SubscriberDeps, "line" | "hear" | "mark"> & { readonly opening: string | undefined }> {
    const { peer, port, over } = this.#options;
    const names = rooms.map(nameRoom);
    if (over === "websocket") {
      const { opening, mark, ...dialogue } = peer.subscribe(names);
      return { line: await Connection.open({ ...peer, port }), hear: (text) => dialogue.hear(text), mark, opening };
    }
    const [room = ""] = names;
    if (peer.stream === undefined || names.length !== 1) throw new Error(`Cannot stream ${names} of ${peer.name}`);
    const { request, mark, ...streaming } = peer.stream(room);
    return {
      line: await EventStream.open(port, request),
      hear: (event) => streaming.hear(event),
      mark,
      opening: undefined,
    };
  }

  #ledger(room: number): Ledger {
    const ledger = this.#options.ledgers[room];
    if (ledger === undefined) throw new RangeError(`Cannot subscribe to room ${room}: there is none`);
    return ledger;
  }
}
