import { deadline } from "@std/async/deadline";

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** An HTTP answer that stays open, read piece by piece. */
export class HttpStream implements AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  readonly #abort: AbortController;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#abort = abort;
    this.#reader = response.body!.getReader();
  }

  /** Sends the request and waits for the answer's head. */
  static async open(url: string | URL, init: RequestInit = {}): Promise<HttpStream> {
    const abort = new AbortController();
    return new HttpStream(await fetch(url, { ...init, signal: abort.signal }), abort);
  }

  /** Subscribes by POST. */
  static subscribe(
    url: string,
    query: string,
    options: { variables?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ): Promise<HttpStream> {
    return HttpStream.open(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...options.headers },
      body: JSON.stringify({ query, variables: options.variables ?? {} }),
    });
  }

  /** What has come up to and with the end of the match; the rest is kept. */
  async read(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length);
        return match;
      }
      const { done, value } = await deadline(this.#reader.read(), PATIENCE_MS);
      if (done) throw new Error(`Cannot find ${pattern} in ${JSON.stringify(this.#text)}: the answer has ended`);
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** All that still comes until the answer ends. */
  async rest(): Promise<string> {
    for (;;) {
      const { done, value } = await deadline(this.#reader.read(), PATIENCE_MS);
      if (done) return this.#text;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#reader.cancel().catch(() => {
      // Aborted: that is what was wanted.
    });
  }
}
