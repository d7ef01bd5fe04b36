import { Buffer } from "node:buffer";
import { SmallSet } from "../core/small_set.ts";
import type { LiveFrame } from "../graphql/live_frame.ts";
import type { Deflater } from "./deflater.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";
import { type BatchSocket, type FrameBatch, MAX_HEADER_BYTES, payloadBytes } from "./frame_batch.ts";
import { DEFLATED_TEXT, type FrameHead, type FrameHeads, PLAIN_TEXT } from "./frame_head.ts";

/** The part of a TCP socket an outbox writes to. */
export interface OutboxSocket extends BatchSocket {
  /** `onTaken` is called once the kernel has these bytes and all before them, or never will. */
  write(bytes: Uint8Array, onTaken?: () => void): boolean;
}

/** What an outbox needs. */
export interface OutboxDeps {
  readonly socket: OutboxSocket;
  readonly flushes: FlushQueue;
  /** Shared by all outboxes of a node: what one has written the next need not put together again. */
  readonly batch: FrameBatch;
  /** Compresses what is large; undefined when the client has not agreed to that. */
  readonly deflater?: Deflater | undefined;
  /** Whether the peer may still be written to: not once it has said goodbye. */
  readonly isOpen: () => boolean;
  /** Bytes that may wait, here and in the socket together. */
  readonly maxBytes: number;
  /** Called once, when more would wait: the reader is too slow. It gets nothing more but what `end` says. */
  readonly onOverflow: () => void;
}

/** Output that has gathered to this size does not wait for the end of the turn. */
const FLUSH_AT_BYTES = 65_536;
const NOTHING = new Uint8Array(0);

/**
 * One connection's way out: WebSocket text frames, written together once a turn.
 *
 * A frame is either a whole text, or a head of the connection's own and a body shared
 * by many connections, closed by a brace: `{"id":"…","type":"next","payload":` + body
 * + `}`. What waits is bounded, in bytes as they are written; a reader that lets it
 * overflow is ended, never waited for and never served with holes.
 */
export class Outbox implements Flushable {
  readonly #deps: OutboxDeps;
  /** The frames of this turn: for each its head and its body. */
  readonly #heads: FrameHead[] = [];
  #bodies: Uint8Array[] = [];
  #bytes = 0;
  readonly #waiters = new SmallSet<() => void>();
  /** Beside the bound: the size of the last frame that was sent while there was room. */
  #allowedBytes = 0;
  #closed = false;
  #full = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Bytes that may wait. */
  get maxBytes(): number {
    return this.#deps.maxBytes;
  }

  /** What may wait while there still is room for what can be waited for, in bytes. */
  get #roomyBytes(): number {
    return this.#deps.maxBytes / 4;
  }

  /** Bytes that wait, here and in the socket. */
  get waiting(): number {
    return this.#bytes + this.#deps.socket.writableLength;
  }

  /** Sends one text as a frame of its own. */
  sendText(text: string): void {
    if (this.#closed || this.#full) return;
    const [head, body] = this.#encode(text);
    this.#push(head, body);
  }

  /** Sends an operation's head, a body that many share and a closing brace as one frame. */
  sendShared(heads: FrameHeads, frame: LiveFrame): void {
    if (this.#closed || this.#full) return;
    const deflated = this.#deps.deflater?.body(frame);
    if (deflated === undefined) this.#push(heads.plain, frame.bytes);
    else this.#push(heads.deflated, deflated);
  }

  flush(): void {
    if (this.#bodies.length === 0 || this.#closed) return;
    const { socket, batch } = this.#deps;
    const heads = this.#heads;
    const bodies = this.#bodies;
    const bytes = this.#bytes;
    const keptBodies = this.#deps.isOpen() && batch.write(socket, { heads, bodies, bytes });
    if (keptBodies) this.#bodies = [];
    this.#clear();
  }

  /**
   * Whether the reader lags: a promise of when it has taken what was written. Undefined
   * while there is room for more than live events. Who waits for one that has gone
   * waits for ever.
   */
  busy(): Promise<void> | undefined {
    const { socket } = this.#deps;
    if (this.#closed || this.#full) return new Promise(() => {});
    if (this.waiting <= this.#roomyBytes) return undefined;
    this.flush();
    if (socket.writableLength === 0) return undefined;
    return new Promise((resolve) => {
      this.#waiters.add(resolve);
      // Below its high-water mark a socket never tells of a drain; the end of a write it always tells.
      socket.write(NOTHING, () => {
        this.#waiters.delete(resolve);
        resolve();
      });
    });
  }

  /** Sends what waits, then these last words, and nothing any more. */
  end(lastWords?: string): void {
    if (lastWords !== undefined) {
      const [head, body] = this.#encode(lastWords);
      this.#add(head, body);
    }
    this.flush();
    this.close();
  }

  /** Sends nothing any more, and forgets what waits. */
  close(): void {
    this.#closed = true;
    this.#clear();
    this.#waiters.clear();
  }

  #encode(text: string): readonly [FrameHead, Uint8Array] {
    const bytes = Buffer.from(text);
    const deflated = this.#deps.deflater?.message(bytes);
    return deflated === undefined ? [PLAIN_TEXT, bytes] : [DEFLATED_TEXT, deflated];
  }

  #push(head: FrameHead, body: Uint8Array): void {
    const { waiting } = this;
    const size = frameBytes(head, body);
    // One large frame alone is no lag, and what comes behind it is not to pay for it.
    if (waiting <= this.#roomyBytes) this.#allowedBytes = size;
    if (waiting > 0 && waiting + size > this.#deps.maxBytes + this.#allowedBytes) {
      this.#full = true;
      this.#deps.onOverflow();
      return;
    }
    this.#add(head, body);
    if (this.#bytes >= FLUSH_AT_BYTES) this.flush();
    else if (this.#bodies.length === 1) this.#deps.flushes.add(this);
  }

  #add(head: FrameHead, body: Uint8Array): void {
    this.#heads.push(head);
    this.#bodies.push(body);
    this.#bytes += frameBytes(head, body);
  }

  #clear(): void {
    this.#heads.length = 0;
    this.#bodies.length = 0;
    this.#bytes = 0;
  }
}

/** The most bytes a frame takes. */
function frameBytes(head: FrameHead, body: Uint8Array): number {
  return MAX_HEADER_BYTES + payloadBytes(head, body);
}
