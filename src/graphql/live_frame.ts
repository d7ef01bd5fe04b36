/** How a transport writes a frame; the same function for all its members. */
export type FrameEncoding = (frame: LiveFrame) => Uint8Array;

const encoder = new TextEncoder();

/**
 * One execution's result as it goes to every member: stringified once, encoded once.
 *
 * The bytes are shared: nobody may change them.
 */
export class LiveFrame {
  /** The ExecutionResult as JSON, with the position it brings its reader to in `extensions.cursor`. */
  readonly text: string;
  readonly cursor: string;
  #bytes: Uint8Array | undefined;
  #encoded: Map<FrameEncoding, Uint8Array> | undefined;

  constructor(text: string, cursor: string) {
    this.text = text;
    this.cursor = cursor;
  }

  /** `text` as UTF-8. */
  get bytes(): Uint8Array {
    return this.#bytes ??= encoder.encode(this.text);
  }

  /** The frame in a transport's own encoding, made once for all its members. */
  as(encoding: FrameEncoding): Uint8Array {
    let bytes = this.#encoded?.get(encoding);
    if (bytes === undefined) {
      bytes = encoding(this);
      (this.#encoded ??= new Map()).set(encoding, bytes);
    }
    return bytes;
  }
}
