import type { ServerResponse } from "node:http";
import type { GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { ConnectionEnd } from "../core/sessions.ts";
import type { LiveFrame } from "../graphql/live_frame.ts";
import type { LiveMember } from "../graphql/live_selection.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import type { Pulse } from "./heartbeat.ts";
import type { StreamFormat } from "./stream_format.ts";

/** What a stream needs. */
export interface StreamConnectionDeps {
  readonly response: ServerResponse;
  readonly viewer: Caller;
  /** When in a second it is told where it is. */
  readonly phase: number;
  readonly format: StreamFormat;
  readonly flushes: FlushQueue;
  /** Bytes that may wait for a reader that lags. */
  readonly maxBytes: number;
  /** Called once when the answer has begun. */
  readonly onBegin: () => void;
}

/** Output that has gathered to this size does not wait for the end of the turn. */
const FLUSH_AT_BYTES = 65_536;

/**
 * One subscription in one HTTP answer.
 *
 * The answer begins when the subscription is live, so a refusal can still be a whole
 * answer of its own. A reader that lets more than the bound wait is cut off: it comes
 * back by itself.
 */
export class StreamConnection implements LiveMember, Flushable, Pulse {
  readonly viewer: Caller;
  readonly phase: number;
  readonly format: StreamFormat;
  silentPings = 0;
  /** What the membership of its session is told when it ends. */
  end: ConnectionEnd = "DISCONNECTED";
  /** Why our side cut it off, when it did. */
  ending: string | undefined;
  readonly #deps: StreamConnectionDeps;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Beside the bound: the size of what was last written while there was room. */
  #allowedBytes = 0;
  /** Bytes the kernel had taken at the last sign of life. */
  #takenBytes = 0;
  #draining: Promise<void> | undefined;

  constructor(deps: StreamConnectionDeps) {
    this.#deps = deps;
    this.viewer = deps.viewer;
    this.phase = deps.phase;
    this.format = deps.format;
  }

  begin(cursor: string): void {
    if (this.#deps.response.headersSent) return;
    this.#writeHead();
    this.#write(this.format.open(cursor));
    this.#deps.onBegin();
  }

  /** Says why there is no subscription, as a stream that has ended. Instead of `begin()`. */
  refuse(errors: readonly GraphQLError[]): void {
    this.fail(errors);
  }

  next(frame: LiveFrame): void {
    this.#write(frame.as(this.format.event));
  }

  moved(cursor: string): void {
    this.#write(this.format.place(cursor));
  }

  /** There is no word for it between two events: the next event says it. */
  notice(): void {}

  busy(): Promise<void> | undefined {
    const { response } = this.#deps;
    if (this.#waitingBytes + response.writableLength <= this.#roomyBytes) return undefined;
    this.flush();
    if (!response.writableNeedDrain || response.destroyed) return undefined;
    return this.#draining ??= new Promise((resolve) => {
      const done = (): void => {
        this.#draining = undefined;
        response.off("drain", done).off("close", done);
        resolve();
      };
      response.on("drain", done).on("close", done);
    });
  }

  /** Sends a result that is shared with nobody. */
  result(json: string): void {
    this.#write(this.format.result(json));
  }

  fail(errors: readonly GraphQLError[]): void {
    // Its user may have to go before the subscription is live.
    if (!this.#deps.response.headersSent) this.#writeHead();
    this.#write(this.format.errors(errors));
    this.complete();
  }

  /** Ends the answer because its user may not stay. */
  disconnect(error: GraphQLError): void {
    this.ending = error.message;
    this.fail([error]);
  }

  /** Says that there will be no more events. */
  complete(): void {
    this.#write(this.format.end);
    this.finish();
  }

  /** Ends the answer, without a word: a client that wants more comes back. */
  finish(): void {
    this.flush();
    this.#deps.response.end();
  }

  /** Nothing comes back on this road. A peer lives as long as something of what waits is taken. */
  ping(): void {
    const { socket, writableLength } = this.#deps.response;
    // What waits counts as written already.
    const taken = (socket?.bytesWritten ?? 0) - writableLength;
    if (writableLength === 0 || taken > this.#takenBytes) this.silentPings = 0;
    this.#takenBytes = taken;
    this.#write(this.format.beat);
  }

  onSilent(): void {
    this.end = "TIMEOUT";
    this.ending = "slow reader";
    this.#deps.response.destroy();
  }

  flush(): void {
    if (this.#waitingBytes === 0) return;
    const { response, maxBytes } = this.#deps;
    const bytes = this.#waiting.length === 1 ? this.#waiting[0]! : concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (response.destroyed || response.writableEnded) return;
    const lag = response.writableLength;
    // One large event alone is no lag, and what comes behind it is not to pay for it.
    if (lag <= this.#roomyBytes) this.#allowedBytes = bytes.length;
    response.write(bytes);
    if (lag > 0 && response.writableLength > maxBytes + this.#allowedBytes) {
      this.ending = "slow reader";
      response.destroy();
    }
  }

  /** What may wait while there still is room for what can be waited for: below its own mark a response tells no drain. */
  get #roomyBytes(): number {
    return Math.max(this.#deps.maxBytes / 4, this.#deps.response.writableHighWaterMark);
  }

  #writeHead(): void {
    this.#deps.response.writeHead(200, {
      "content-type": this.format.contentType,
      // Neither a cache nor a proxy may keep events back.
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
  }

  #write(bytes: Uint8Array): void {
    // Nothing to say is nothing that waits: it would never be flushed, nor what comes behind it.
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= FLUSH_AT_BYTES) this.flush();
    else if (this.#waiting.length === 1) this.#deps.flushes.add(this);
  }
}

function concat(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
