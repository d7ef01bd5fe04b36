import { Buffer } from "node:buffer";

/** How a transport writes a frame; the same function for all its members. */
export type FrameEncoding = (frame: LiveFrame) => Uint8Array;

/** What one reader's frame says of what came before it. */
export interface FrameNotice {
  /** On the first frame after a resume: whether nothing in between is missing. */
  readonly recovered?: boolean;
  /** Something between the frame before and this one was lost. */
  readonly gap?: true;
}

/**
 * One execution's result as it goes to every member: stringified once, encoded once.
 *
 * The bytes are shared: nobody may change them.
 */
export class LiveFrame {
  /** The ExecutionResult as JSON; last in it `extensions`, whose `cursor` is where it brings its reader. */
  readonly text: string;
  readonly cursor: string;
  /** What it says of what came before it; undefined when that is nothing. */
  readonly notice: FrameNotice | undefined;
  #bytes: Uint8Array | undefined;
  #encoded: Map<FrameEncoding, Uint8Array> | undefined;

  constructor(text: string, cursor: string, notice?: FrameNotice) {
    this.text = text;
    this.cursor = cursor;
    this.notice = notice;
  }

  /** The same event with more said beside its cursor, for a reader to whom more must be said. */
  with(more: FrameNotice): LiveFrame {
    const said = JSON.stringify(more);
    // `extensions` is the last thing in the text, and is never empty.
    return new LiveFrame(`${this.text.slice(0, -2)},${said.slice(1)}}`, this.cursor, { ...this.notice, ...more });
  }

  /** `text` as UTF-8. */
  get bytes(): Uint8Array {
    return this.#bytes ??= Buffer.from(this.text);
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
