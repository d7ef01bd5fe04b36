import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import { RealtimeError } from "../core/errors.ts";
import type { Expiries } from "../core/expiries.ts";
import type { Rooms, Unfollow } from "../core/rooms.ts";
import type { Sessions } from "../core/sessions.ts";
import type { Telemetry } from "../core/telemetry.ts";
import type { ErrorMask } from "../graphql/errors.ts";
import type { Operation, Operations } from "../graphql/operations.ts";
import { PHASES } from "../graphql/tellings.ts";
import type { AddressCounts } from "./address_counts.ts";
import type { FlushQueue } from "./flush_queue.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { answerJson } from "./http_error.ts";
import { StreamConnection } from "./stream_connection.ts";
import { StreamPeer } from "./stream_peer.ts";
import { chooseFormat } from "./stream_format.ts";

/** What subscriptions over HTTP need. */
export interface GraphqlStreamDeps {
  readonly operations: Operations;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly expiries: Expiries;
  readonly mask: ErrorMask;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly flushes: FlushQueue;
  readonly heartbeat: Heartbeat;
  /** Bytes that may wait for a reader that lags. */
  readonly outboxBytes: number;
  /** Connections of all transports that are open, and that may be. */
  readonly openConnections: () => number;
  readonly maxConnections: number;
  /** The same by network. */
  readonly networkConnections: AddressCounts;
}

/**
 * Subscriptions over HTTP: Server-Sent Events and multipart, on the same live
 * selections as the WebSocket.
 */
export class GraphqlStreams {
  readonly #deps: GraphqlStreamDeps;
  readonly #connections = new Set<StreamConnection>();
  #accepted = 0;
  #stopping = false;

  constructor(deps: GraphqlStreamDeps) {
    this.#deps = deps;
  }

  /** Open streams. */
  get size(): number {
    return this.#connections.size;
  }

  /** Ends every stream; those that still come are refused. */
  close(): void {
    this.#stopping = true;
    for (const connection of this.#connections) {
      connection.ending = "server is stopping";
      connection.finish();
    }
  }

  /**
   * Answers one subscription. Resolves when it runs, or has been refused.
   *
   * @throws {RealtimeError} `SHUTTING_DOWN`, `RATE_LIMITED` before anything is begun
   */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    operation: Operation,
    asking: Caller,
  ): Promise<void> {
    const { operations, rooms, mask, flushes, outboxBytes, openConnections, maxConnections, networkConnections } =
      this.#deps;
    const network = asking.address ?? "";
    const isFull = openConnections() >= maxConnections || networkConnections.isFull(network);
    if ((this.#stopping || isFull) && givesUpWhenRefused(request)) return void response.destroy();
    if (this.#stopping) throw new RealtimeError("SHUTTING_DOWN", "Cannot subscribe: the server is stopping");
    if (isFull) {
      throw new RealtimeError("RATE_LIMITED", "Cannot subscribe: too many connections", { retryAfterMs: 1_000 });
    }
    const format = chooseFormat(request.headers.accept);
    if (format === undefined) return refuseFormat(response);

    const { sessions, expiries } = this.#deps;
    const { principal: { userId }, sessionId } = asking;
    const peer = new StreamPeer((reason) => connection.disconnect(mask(reason)), expiries);
    const held = sessions.connect({ userId, sessionId }, peer);
    const viewer = { ...asking, session: held.session };
    peer.begin(viewer);
    if (held.continues) rooms.rejoin(viewer, [...held.session.rooms]);
    let leave: Unfollow | undefined;
    let closed = false;
    const connection: StreamConnection = new StreamConnection({
      response,
      viewer,
      phase: this.#accepted++ % PHASES,
      format,
      flushes,
      maxBytes: outboxBytes,
      // A client that has gone already would leave its session behind.
      onBegin: () => closed || response.destroyed ? undefined : this.#opened(connection, response),
    });
    // Fires once on every path, however the answer ends.
    response.once("close", () => {
      closed = true;
      peer.close();
      leave?.(connection.end);
      held.close(connection.end);
    });
    // What an EventSource saw last, when it comes back (HTML standard, section 9.2.4).
    const { "last-event-id": lastEventId } = request.headers;
    const resume = typeof lastEventId === "string" && lastEventId !== "" ? lastEventId : undefined;
    const subscribed = await operations.subscribe(operation, { rooms, viewer }, connection, resume);
    if (subscribed.errors !== undefined) {
      // Its user had to go meanwhile, and has been told.
      if (response.headersSent) return;
      if (readsRefusalAsEvent(request)) return connection.refuse(subscribed.errors);
      return answerJson(response, format.refusalStatus, { errors: subscribed.errors });
    }
    if ("leave" in subscribed) {
      leave = subscribed.leave;
    } else {
      const { iterable } = subscribed;
      // Nobody waits for the iterable of a program's own field to be closed.
      leave = () => void iterable.return().catch(mask);
      connection.begin("");
      this.#pump(connection, response, iterable);
    }
    // The client went while the subscription was being begun.
    if (closed) leave("DISCONNECTED");
  }

  #opened(connection: StreamConnection, response: ServerResponse): void {
    const { clock, telemetry, heartbeat, networkConnections } = this.#deps;
    const { viewer, format } = connection;
    const network = viewer.address ?? "";
    const { userId } = viewer.principal;
    heartbeat.add(connection);
    const openedAt = clock.now();
    this.#connections.add(connection);
    networkConnections.add(network);
    if (this.#stopping) connection.finish();
    telemetry.record("info", "stream.opened", { format: format.name, userId, sessionId: viewer.sessionId });
    response.once("close", () => {
      heartbeat.remove(connection);
      this.#connections.delete(connection);
      networkConnections.remove(network);
      telemetry.record("info", "stream.closed", {
        format: format.name,
        userId,
        reason: connection.ending,
        durationMs: clock.now() - openedAt,
      });
    });
  }

  /** Sends what an ordinary iterable yields, no faster than the reader reads. */
  #pump(connection: StreamConnection, response: ServerResponse, iterable: AsyncIterable<Result>): void {
    const { mask } = this.#deps;
    const pump = async (): Promise<void> => {
      for await (const { errors, ...result } of iterable) {
        const shown = errors === undefined ? result : { ...result, errors: errors.map(mask) };
        connection.result(JSON.stringify(shown));
        connection.flush();
        if (response.writableNeedDrain) await new Promise((resolve) => response.once("drain", resolve));
      }
      connection.complete();
    };
    pump().catch((error: unknown) => connection.fail([mask(error)]));
  }
}

interface Result {
  readonly errors?: readonly GraphQLError[];
}

/**
 * Whether the client reads a refusal from the stream alone.
 *
 * graphql-sse asks again after any status but 200, because its PROTOCOL.md wants errors
 * as an event. EventSource, which can only GET, stays away only after another status.
 */
function readsRefusalAsEvent({ method, headers: { accept } }: IncomingMessage): boolean {
  return method === "POST" && accept !== undefined && !/json|\*\/\*|application\/\*/i.test(accept);
}

/**
 * Whether this is an EventSource: after any status but 200 it never comes back, after a
 * broken connection it does (HTML standard, section 9.2.3).
 */
export function givesUpWhenRefused({ method, headers: { accept } }: IncomingMessage): boolean {
  return method === "GET" && accept === "text/event-stream";
}

function refuseFormat(response: ServerResponse): void {
  const message = "Cannot answer a subscription in any type this request accepts: " +
    "must be text/event-stream, or multipart/mixed with a subscriptionSpec";
  answerJson(response, 406, { errors: [{ message, extensions: { code: "BAD_USER_INPUT" } }] });
}
