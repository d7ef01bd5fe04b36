import { Buffer } from "node:buffer";
import type { FrameHead, FrameKind } from "./frame_head.ts";

/** What a batch is written to. */
export interface BatchSocket {
  /** Bytes written that the kernel has not taken. */
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
}

/** The frames of one write: for each its head and its body. */
export interface Frames {
  readonly heads: readonly FrameHead[];
  readonly bodies: readonly Uint8Array[];
  /** The most bytes they take. */
  readonly bytes: number;
}

/** The most bytes a frame's header takes (RFC 6455 section 5.2, unmasked). */
export const MAX_HEADER_BYTES = 10;

/** The least memory that is made at once: most batches fit into it. */
const LEAST_BYTES = 16_384;
/** The most memory that is kept to be written into again. Larger batches are made for once. */
const KEPT_BYTES = 262_144;

/**
 * Writes WebSocket text frames, as few bytes copied as can be.
 *
 * The members of a selection write the same bodies one after the other, each behind a
 * head of its own. So the last batch is kept as it was written: whoever has the same
 * bodies behind heads of the same kinds and lengths has its heads put in their places,
 * and the same memory is written again. It may be, once the kernel has taken all of it.
 */
export class FrameBatch {
  #memory: Buffer | undefined;
  /** The batch that stands in the memory; empty when it cannot be written again. */
  #batch: Buffer | undefined;
  #bodies: readonly Uint8Array[] = [];
  readonly #headAt: number[] = [];
  readonly #headLength: number[] = [];
  readonly #kinds: FrameKind[] = [];

  /** Writes all frames at once. Returns whether it keeps the list of bodies: then it may not be changed. */
  write(socket: BatchSocket, { heads, bodies, bytes }: Frames): boolean {
    const kept = this.#isLike(heads, bodies);
    const batch = kept ? this.#readdress(heads) : this.#compose(heads, bodies, bytes);
    socket.write(batch);
    // What the kernel has not taken is the socket's to keep.
    if (socket.writableLength > 0) this.#memory = this.#batch = undefined;
    return !kept;
  }

  #isLike(heads: readonly FrameHead[], bodies: readonly Uint8Array[]): boolean {
    const count = bodies.length;
    if (this.#batch === undefined || this.#bodies.length !== count) return false;
    for (let index = 0; index < count; index++) {
      if (bodies[index] !== this.#bodies[index]) return false;
      const { kind, bytes } = heads[index]!;
      if (kind !== this.#kinds[index] || bytes.length !== this.#headLength[index]) return false;
    }
    return true;
  }

  #readdress(heads: readonly FrameHead[]): Buffer {
    const batch = this.#batch!;
    for (let index = 0; index < heads.length; index++) batch.set(heads[index]!.bytes, this.#headAt[index]!);
    return batch;
  }

  #compose(heads: readonly FrameHead[], bodies: readonly Uint8Array[], bytes: number): Buffer {
    const memory = this.#room(bytes);
    let at = 0;
    for (let index = 0; index < bodies.length; index++) {
      const head = heads[index]!;
      const { kind, bytes: before } = head;
      const body = bodies[index]!;
      memory[at] = kind.firstByte;
      at = writeLength(memory, at + 1, payloadBytes(head, body));
      this.#headAt[index] = at;
      this.#headLength[index] = before.length;
      this.#kinds[index] = kind;
      memory.set(before, at);
      at += before.length;
      memory.set(body, at);
      at += body.length;
      memory.set(kind.tail, at);
      at += kind.tail.length;
    }
    this.#bodies = bodies;
    return this.#batch = memory.subarray(0, at);
  }

  #room(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (this.#memory !== undefined && this.#memory.length >= bytes) return this.#memory;
    // By powers of two, so that it settles soon. New memory is cleared: not more of it than is used.
    return this.#memory = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(bytes))));
  }
}

/** Bytes of a frame behind its header. */
export function payloadBytes({ bytes, kind }: FrameHead, body: Uint8Array): number {
  return bytes.length + body.length + kind.tail.length;
}

/** Writes the length of an unmasked frame's payload; returns where the payload begins. */
function writeLength(into: Buffer, at: number, payload: number): number {
  if (payload < 126) {
    into[at] = payload;
    return at + 1;
  }
  if (payload < 65_536) {
    into[at] = 126;
    into[at + 1] = payload >>> 8;
    into[at + 2] = payload & 0xff;
    return at + 3;
  }
  into[at] = 127;
  into.writeUInt32BE(0, at + 1);
  into.writeUInt32BE(payload, at + 5);
  return at + 9;
}
