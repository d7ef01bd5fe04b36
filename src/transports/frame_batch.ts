import { Buffer } from "node:buffer";

/** What a batch is written to. */
export interface BatchSocket {
  /** Bytes written that the kernel has not taken. */
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
}

/** The frames of one write: for each its head (null for a whole text) and its body. */
export interface Frames {
  readonly heads: readonly (Uint8Array | null)[];
  readonly bodies: readonly Uint8Array[];
  /** The most bytes they take. */
  readonly bytes: number;
}

/** The most bytes a frame's header takes (RFC 6455 section 5.2, unmasked). */
export const MAX_HEADER_BYTES = 10;

/** FIN and opcode 1, text (RFC 6455 section 5.2). */
const FINAL_TEXT = 0x81;
const CLOSING_BRACE = 0x7d;
/** What is kept to be written into again. Larger batches are made for once. */
const KEPT_BYTES = 262_144;

/**
 * Writes WebSocket text frames, as few bytes copied as can be.
 *
 * The members of a selection write the same bodies one after the other, each behind a
 * head of its own. So the last batch is kept as it was written: whoever has the same
 * bodies behind heads of the same lengths has its heads put in their places, and the
 * same memory is written again. It may be, once the kernel has taken all of it.
 */
export class FrameBatch {
  #memory: Buffer | undefined;
  /** The batch that stands in the memory; empty when it cannot be written again. */
  #batch: Buffer | undefined;
  #bodies: readonly Uint8Array[] = [];
  readonly #headAt: number[] = [];
  readonly #headLength: number[] = [];

  /** Writes all frames at once. Returns whether it keeps the list of bodies: then it may not be changed. */
  write(socket: BatchSocket, { heads, bodies, bytes }: Frames): boolean {
    const kept = this.#isLike(heads, bodies);
    const batch = kept ? this.#readdress(heads) : this.#compose(heads, bodies, bytes);
    socket.write(batch);
    // What the kernel has not taken is the socket's to keep.
    if (socket.writableLength > 0) this.#memory = this.#batch = undefined;
    return !kept;
  }

  #isLike(heads: readonly (Uint8Array | null)[], bodies: readonly Uint8Array[]): boolean {
    const count = bodies.length;
    if (this.#batch === undefined || this.#bodies.length !== count) return false;
    for (let index = 0; index < count; index++) {
      if (bodies[index] !== this.#bodies[index] || (heads[index]?.length ?? 0) !== this.#headLength[index]) {
        return false;
      }
    }
    return true;
  }

  #readdress(heads: readonly (Uint8Array | null)[]): Buffer {
    const batch = this.#batch!;
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index]!;
      if (head !== null) batch.set(head, this.#headAt[index]!);
    }
    return batch;
  }

  #compose(heads: readonly (Uint8Array | null)[], bodies: readonly Uint8Array[], bytes: number): Buffer {
    const memory = this.#room(bytes);
    let at = 0;
    for (let index = 0; index < bodies.length; index++) {
      const head = heads[index]!;
      const body = bodies[index]!;
      at = writeHeader(memory, at, payloadBytes(head, body));
      this.#headAt[index] = at;
      this.#headLength[index] = head?.length ?? 0;
      if (head !== null) {
        memory.set(head, at);
        at += head.length;
      }
      memory.set(body, at);
      at += body.length;
      if (head !== null) memory[at++] = CLOSING_BRACE;
    }
    this.#bodies = bodies;
    return this.#batch = memory.subarray(0, at);
  }

  #room(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return this.#memory ??= Buffer.allocUnsafeSlow(KEPT_BYTES);
  }
}

/** Bytes of a frame behind its header. */
export function payloadBytes(head: Uint8Array | null, body: Uint8Array): number {
  return head === null ? body.length : head.length + body.length + 1;
}

/** Writes the header of an unmasked final text frame; returns where the payload begins. */
function writeHeader(into: Buffer, at: number, payload: number): number {
  into[at] = FINAL_TEXT;
  if (payload < 126) {
    into[at + 1] = payload;
    return at + 2;
  }
  if (payload < 65_536) {
    into[at + 1] = 126;
    into[at + 2] = payload >>> 8;
    into[at + 3] = payload & 0xff;
    return at + 4;
  }
  into[at + 1] = 127;
  into.writeUInt32BE(0, at + 2);
  into.writeUInt32BE(payload, at + 6);
  return at + 10;
}
