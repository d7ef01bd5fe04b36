import { deadline } from "@std/async/deadline";
import { EventSource } from "eventsource";
import { type Client, type ClientOptions, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { resumable } from "../../../src/client.ts";
import type { Kind } from "./cells.ts";

/** What a client is to follow. */
export interface FollowOptions {
  /** The API over HTTP. */
  readonly url: string;
  readonly query: string;
  /** Asked before each attempt to come back, instead of waiting. */
  readonly mayReturn: () => Promise<void>;
  /** For those over WebSocket. @default {the one of npm's ws} */
  readonly webSocketImpl?: unknown;
}

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** A client of some kind that follows a room, and all that its app sees. */
export abstract class Follower implements AsyncDisposable {
  /** What has come, in order: each message's name, and what its extensions say of losses. */
  readonly came: string[] = [];
  /** What the app's callbacks were told. */
  readonly told: string[] = [];
  /** How each connection ended: a close code, an exit code, or that there was an error. */
  readonly ends: unknown[] = [];
  /** Whether the server has said where it begins. */
  isOpen = false;
  /** What it has given up with. */
  failure: unknown;
  readonly #waiting = new Set<() => void>();

  /** Resolves as soon as it is so. */
  async until(reached: (follower: Follower) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => reached(this) && resolve();
    this.#waiting.add(look);
    look();
    try {
      await deadline(promise, PATIENCE_MS);
    } catch (cause) {
      const { came, told, ends, failure } = this;
      throw new Error(`Cannot go on: ${reached} is not so of ${Deno.inspect({ came, told, ends, failure })}`, {
        cause,
      });
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Resolves once the server has been told anew what has come; at once where nothing is told. */
  abstract receipt(): Promise<void>;

  /** Brings it back, where it does not come by itself. */
  abstract comeBack(): Promise<void>;

  abstract [Symbol.asyncDispose](): Promise<void>;

  protected delivered({ data, extensions: { recovered, gap } }: Result): void {
    // Contents are names, made long by what follows a space.
    const [name] = data.messages.content.split(" ");
    const notices = Object.entries({ recovered, gap }).filter(([, said]) => said !== undefined);
    this.came.push([name, ...notices.map(([what, said]) => `(${what}: ${said})`)].join(" "));
    this.changed();
  }

  protected opened(): void {
    this.isOpen = true;
    this.changed();
  }

  protected changed(): void {
    for (const look of this.#waiting) look();
  }
}

/** One event, as every kind of client gets it. */
interface Result {
  readonly data: { readonly messages: { readonly content: string } };
  readonly extensions: { readonly recovered?: boolean; readonly gap?: boolean };
}

class SocketFollower extends Follower {
  readonly #client: Client;
  readonly #stop: () => void;

  constructor(
    { url, query, mayReturn, webSocketImpl = WebSocket }: FollowOptions,
    options: Partial<ClientOptions> | "resumable" = {},
  ) {
    super();
    const own = options !== "resumable" ? options : resumable({
      onGap: () => void this.told.push("gap"),
      onRecovered: () => void this.told.push("recovered"),
    });
    this.#client = createClient({
      url: url.replace("http", "ws"),
      webSocketImpl,
      ...own,
      retryWait: mayReturn,
    });
    this.#client.on("ping", () => this.opened());
    this.#client.on("closed", (event) => {
      this.ends.push((event as CloseEvent).code);
      this.changed();
    });
    this.#stop = this.#client.subscribe({ query }, {
      next: (result) => this.delivered(result as unknown as Result),
      error: (error) => {
        this.failure = error;
        this.changed();
      },
      complete() {},
    });
  }

  async receipt(): Promise<void> {
    await new Promise<void>((resolve) => {
      const unlisten = this.#client.on("ping", () => (unlisten(), resolve()));
    });
    // Answered on the same socket, so the Pong has been read.
    for await (const _ of this.#client.iterate({ query: "{ viewer { userId } }" }));
  }

  async comeBack(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#client.dispose();
  }
}

class EventSourceFollower extends Follower {
  readonly #source: EventSource;

  constructor({ url, query, mayReturn }: FollowOptions) {
    super();
    let attempts = 0;
    this.#source = new EventSource(`${url}?${new URLSearchParams({ query })}`, {
      fetch: async (input, init) => {
        if (attempts++ > 0) await mayReturn();
        const response = await fetch(input, init);
        return new Response(response.body!.pipeThrough(this.#watched()), response);
      },
    });
    this.#source.addEventListener("next", ({ data }) => this.delivered(JSON.parse(data)));
    this.#source.addEventListener("error", ({ code }) => {
      this.ends.push("error");
      if (this.#source.readyState === this.#source.CLOSED) this.failure = code;
      this.changed();
    });
  }

  async receipt(): Promise<void> {}

  async comeBack(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#source.close());
  }

  /** The first bytes say where it begins, and no listener hears of that. */
  #watched(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: (bytes, controller) => {
        controller.enqueue(bytes);
        this.opened();
      },
    });
  }
}

class CurlFollower extends Follower {
  readonly #options: FollowOptions;
  #lastEventId = "";
  #process!: Deno.ChildProcess;
  #ended!: Promise<void>;

  constructor(options: FollowOptions) {
    super();
    this.#options = options;
    this.#start([]);
  }

  async receipt(): Promise<void> {}

  async comeBack(): Promise<void> {
    await deadline(this.#ended, PATIENCE_MS);
    this.#start(["-H", `Last-Event-ID: ${this.#lastEventId}`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await this.#ended;
  }

  #start(headers: readonly string[]): void {
    const { url, query } = this.#options;
    const args = ["-N", "-G", url, "--data-urlencode", `query=${query}`, ...headers];
    this.#process = new Deno.Command("curl", { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    this.#ended = this.#read(this.#process);
  }

  async #read({ stdout, status }: Deno.ChildProcess): Promise<void> {
    let rest = "";
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop()!;
      for (const block of blocks) this.#take(block);
    }
    this.ends.push((await status).code);
    this.changed();
  }

  #take(block: string): void {
    const fields = new Map(block.split("\n").map((line) => [line.split(": ", 1)[0]!, line.replace(/^\w*: /, "")]));
    this.#lastEventId = fields.get("id") ?? this.#lastEventId;
    this.opened();
    if (fields.get("event") === "next") this.delivered(JSON.parse(fields.get("data")!));
  }
}

/** Begins to follow, with a client of each kind. */
export const FOLLOW: Readonly<Record<Kind, (options: FollowOptions) => Follower>> = {
  "stock": (options) => new SocketFollower(options),
  "one option": (options) => new SocketFollower(options, { shouldRetry: () => true }),
  "resumable()": (options) => new SocketFollower(options, "resumable"),
  "SSE": (options) => new EventSourceFollower(options),
  "curl": (options) => new CurlFollower(options),
};
