import { SETTINGS } from "../../src/settings.ts";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
/** What `deno task start` runs, so that its permissions are tested too. */
const [, , ...START] = config.tasks.start.command.split(" ");
const UNSET = Object.fromEntries(SETTINGS.map(({ variable }) => [variable, ""]));

/** One line of the server's log. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How the server is started, beside its flags. */
export interface StartOptions {
  /** Of its environment, over those that keep this process's own settings away. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly keepsOutput?: boolean;
  /** A module that is run in the process before the server's. */
  readonly preload?: string;
}

/** The answer to a GraphQL request over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  readonly body: any;
}

/**
 * The server as its users run it: a process of its own, on a free port.
 *
 * `await using` stops it for good, and fails when an error in it was caught by nobody:
 * unless the test has asked for each such line (`process.unhandled`).
 */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #log: LogReader;
  readonly #stderr: Promise<string> | undefined;

  private constructor(process: Deno.ChildProcess, log: LogReader, port: number, stderr?: Promise<string>) {
    this.#process = process;
    this.#log = log;
    this.#stderr = stderr;
    this.port = port;
  }

  /** Starts the server with these flags and waits until it listens. */
  static start(...flags: string[]): Promise<ServerProcess> {
    return ServerProcess.startWith({}, ...flags);
  }

  /** Does so with these variables too, and keeps all that it writes when `keepsOutput`. */
  static async startWith({ variables = {}, keepsOutput = false, preload }: StartOptions, ...flags: string[]) {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", ...(preload === undefined ? [] : ["--preload", preload])],
        ...[...START, "--port", "0", "--log-format", "json", ...flags],
      ],
      cwd: ROOT,
      env: { ...UNSET, ...variables },
      stdin: "null",
      stdout: "piped",
      stderr: keepsOutput ? "piped" : "inherit",
    }).spawn();
    const log = new LogReader(process.stdout, keepsOutput);
    const stderr = keepsOutput ? new Response(process.stderr).text() : undefined;
    const { fields } = await log.next((line) => line.event === "server.listening");
    return new ServerProcess(process, log, Number(new URL(String(fields.url)).port), stderr);
  }

  /** Bytes it has logged. */
  get logBytes(): number {
    return this.#log.bytes;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}/graphql`;
  }

  /** Waits for a log line of this event that has not been asked for before. */
  logged(event: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    return this.#log.next((line) => line.event === event && matches(line));
  }

  /** All that it has written to stdout and stderr, once it has ended. Needs `keepsOutput`. */
  async output(): Promise<string> {
    await this.ended();
    return this.#log.text + await this.#stderr;
  }

  /** A log line of this event that nobody has asked for. */
  untaken(event: string): LogLine | undefined {
    return this.#log.untaken(event);
  }

  /** Sends one operation by POST. */
  async post(query: string, variables: unknown = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** The exit code, once the process has ended. */
  async ended(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#log.drained;
    await this.#stderr;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.ended();
    const unhandled = this.untaken("process.unhandled");
    if (unhandled !== undefined) throw new Error(`An error in the server reached nobody: ${unhandled.fields["error"]}`);
  }
}

/** Keeps the lines nobody has asked for yet, and hands them to whoever does. */
class LogReader {
  readonly drained: Promise<void>;
  /** Every line there was; empty unless they are kept. */
  text = "";
  bytes = 0;
  readonly #keepsText: boolean;
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<{ matches(line: LogLine): boolean; resolve(line: LogLine): void }>();

  constructor(stdout: ReadableStream<Uint8Array>, keepsText: boolean) {
    this.#keepsText = keepsText;
    this.drained = this.#read(stdout);
  }

  next(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const index = this.#lines.findIndex(matches);
    if (index !== -1) return Promise.resolve(this.#lines.splice(index, 1)[0]!);
    return new Promise((resolve) => this.#waiting.add({ matches, resolve }));
  }

  /** A line of this event that nobody has asked for. */
  untaken(event: string): LogLine | undefined {
    return this.#lines.find((line) => line.event === event);
  }

  async #read(stdout: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of stdout) {
      if (this.#keepsText) this.text += new TextDecoder().decode(chunk);
      this.bytes += chunk.length;
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") this.#take(JSON.parse(line));
    }
  }

  #take(line: LogLine): void {
    for (const waiting of this.#waiting) {
      if (!waiting.matches(line)) continue;
      this.#waiting.delete(waiting);
      return waiting.resolve(line);
    }
    this.#lines.push(line);
  }
}
