import { type Client, type ClientOptions, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { CutClientDeps, CutSink } from "./cut_client.ts";

/**
 * graphql-ws's own client, on npm ws as in Node, and what a run of cuts sees of it.
 *
 * What is set for the run's sake: `url` is a function, and `retryWait` is the run's. All
 * else is watched from outside: the client's events, and what its socket is told to send.
 */
export class WatchedSocket implements AsyncDisposable {
  readonly client: Client;
  readonly #sinks = new Map<string, CutSink>();
  /** By operation id, as the client has chosen it. */
  readonly #rooms = new Map<string, string>();
  #closed = Promise.resolve();

  constructor({ url, mayReturn, onOpened }: CutClientDeps, options: Partial<ClientOptions> = {}) {
    this.client = createClient({
      ...options,
      url: () => url().replace("http", "ws"),
      webSocketImpl: watchSends(({ type, id, payload }) => {
        if (type === "subscribe") this.#rooms.set(id, payload.variables.room);
      }),
      retryWait: mayReturn,
    });
    let onClosed = (): void => {};
    this.client.on("opened", () => {
      this.#closed = new Promise((resolve) => onClosed = resolve);
      onOpened();
    });
    this.client.on("closed", () => onClosed());
    this.client.on("connected", () => {
      for (const sink of this.#sinks.values()) sink.connected();
    });
    this.client.on("ping", (_received, payload) => this.#pinged(payload ?? {}));
  }

  /** Tells this sink what happens to the one subscription there is to this room. */
  watch(room: string, sink: CutSink): void {
    this.#sinks.set(room, sink);
  }

  /** Waits for the end of the connection, which graphql-ws closes after the last subscription. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closed;
  }

  #pinged({ rooms, gap }: { rooms?: Record<string, string>; gap?: readonly string[] }): void {
    for (const id of Object.keys(rooms ?? {})) this.#sink(id)?.told();
    for (const id of gap ?? []) this.#sink(id)?.noticed({ gap: true });
  }

  #sink(id: string): CutSink | undefined {
    return this.#sinks.get(this.#rooms.get(id) ?? "");
  }
}

// deno-lint-ignore no-explicit-any -- whatever the client says
function watchSends(onSend: (message: any) => void): typeof WebSocket {
  return class extends WebSocket {
    override send(data: string): void {
      onSend(JSON.parse(data));
      super.send(data);
    }
  };
}
