import { constants, deflateRawSync } from "node:zlib";
import type { FrameEncoding, LiveFrame } from "../graphql/live_frame.ts";
import type { Flushable, FlushQueue } from "./flush_queue.ts";

/** What is not larger goes as it is: there is little to save. */
const MAX_PLAIN_BYTES = 1_024;
/** Beyond so much in one turn of the event loop the rest goes as it is: everybody waits for zlib. */
const MAX_TURN_BYTES = 524_288;
/** Bytes a sync flush ends in, which a message goes without (RFC 7692 section 7.2.1). */
const FLUSH_BYTES = 4;
const OPTIONS = {
  // 6 saves a tenth more at best, and text made to be hard takes it six times as long.
  level: 3,
  // Ends at a full byte, and not with a last block: more may stand behind it.
  finishFlush: constants.Z_SYNC_FLUSH,
};

/**
 * Compresses what goes to clients that have agreed to permessage-deflate (RFC 7692).
 *
 * An event is compressed once for all its readers. In each method absence means that
 * the text is to go as it is.
 */
export class Deflater implements Flushable {
  readonly #flushes: FlushQueue;
  readonly #encoding: FrameEncoding = ({ bytes }) => this.#deflate(bytes) ?? bytes;
  #leftBytes = MAX_TURN_BYTES;

  constructor(flushes: FlushQueue) {
    this.#flushes = flushes;
  }

  /** A frame's body, to stand between blocks of the reader's own; the same bytes for all its readers. */
  body(frame: LiveFrame): Uint8Array | undefined {
    // Asked here too, so that a small frame need not keep an encoding.
    if (frame.bytes.length <= MAX_PLAIN_BYTES) return undefined;
    const body = frame.as(this.#encoding);
    return body === frame.bytes ? undefined : body;
  }

  /** A whole message. */
  message(bytes: Uint8Array): Uint8Array | undefined {
    return this.#deflate(bytes)?.subarray(0, -FLUSH_BYTES);
  }

  flush(): void {
    this.#leftBytes = MAX_TURN_BYTES;
  }

  #deflate(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.length <= MAX_PLAIN_BYTES || bytes.length > this.#leftBytes) return undefined;
    if (this.#leftBytes === MAX_TURN_BYTES) this.#flushes.add(this);
    this.#leftBytes -= bytes.length;
    // zlib hands out a part of a larger buffer, which would be kept as long as the frame.
    return new Uint8Array(deflateRawSync(bytes, OPTIONS));
  }
}
