import type { ServerResponse } from "node:http";
import type { GraphQLError } from "graphql";
import type { Caller } from "../core/caller.ts";
import type { LiveFrame } from "../graphql/live_frame.ts";
import type { LiveMember } from "../graphql/live_selection.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import type { Pulse } from "./heartbeat.ts";
import type { StreamFormat } from "./stream_format.ts";

/** What a stream needs. */
export interface StreamConnectionDeps {
  readonly response: ServerResponse;
  readonly viewer: Caller;
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
  readonly format: StreamFormat;
  silentPings = 0;
  /** Why our side cut it off, when it did. */
  ending: string | undefined;
  readonly #deps: StreamConnectionDeps;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #draining: Promise<void> | undefined;

  constructor(deps: StreamConnectionDeps) {
    this.#deps = deps;
    this.viewer = deps.viewer;
    this.format = deps.format;
  }

  begin(cursor: string): void {
    this.#writeHead();
    this.#write(this.format.open(cursor));
    this.#deps.onBegin();
  }

  /** Says why there is no subscription, as a stream that has ended. Instead of `begin()`. */
  refuse(errors: readonly GraphQLError[]): void {
    this.#writeHead();
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
    const { response, maxBytes } = this.#deps;
    if (this.#waitingBytes + response.writableLength <= maxBytes / 4) return undefined;
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
    this.#write(this.format.errors(errors));
    this.complete();
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

  ping(): void {
    // Nothing comes back on this road: a peer that is gone shows when what waits piles up.
    this.silentPings = 0;
    this.#write(this.format.beat);
  }

  onSilent(): void {}

  flush(): void {
    if (this.#waitingBytes === 0) return;
    const { response, maxBytes } = this.#deps;
    const bytes = this.#waiting.length === 1 ? this.#waiting[0]! : concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (response.destroyed || response.writableEnded) return;
    const lag = response.writableLength;
    response.write(bytes);
    // One large event alone is no lag.
    if (lag > 0 && response.writableLength > maxBytes) {
      this.ending = "slow reader";
      response.destroy();
    }
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
