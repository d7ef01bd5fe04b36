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

  constructor(text: string, cursor: string) {
    this.text = text;
    this.cursor = cursor;
  }

  /** `text` as UTF-8. */
  get bytes(): Uint8Array {
    return this.#bytes ??= encoder.encode(this.text);
  }
}
