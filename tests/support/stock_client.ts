import { deadline } from "@std/async/deadline";
import { type Client, type ClientOptions, createClient, type FormattedExecutionResult, type Sink } from "graphql-ws";
import { WebSocket } from "ws";

// deno-lint-ignore no-explicit-any -- tests look into whatever came back
export type Result = FormattedExecutionResult<any, any>;

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** graphql-ws's own client, on npm ws as in Node, with what a test wants to know. */
export class StockClient implements AsyncDisposable {
  readonly #client: Client;
  /** Resolves with the ConnectionAck's payload; a new promise after each reconnect is not made. */
  readonly acknowledged: Promise<Record<string, unknown>>;
  /** Resolves when the socket closes for the first time. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #open = new Set<() => void>();

  constructor(url: string, options: Partial<ClientOptions> = {}) {
    const acknowledged = Promise.withResolvers<Record<string, unknown>>();
    const closed = Promise.withResolvers<{ code: number; reason: string }>();
    this.acknowledged = acknowledged.promise;
    this.closed = closed.promise;
    this.#client = createClient({
      url,
      webSocketImpl: WebSocket,
      ...options,
      on: {
        connected: (_socket, payload) => acknowledged.resolve(payload ?? {}),
        closed: (event) => closed.resolve(event as CloseEvent),
      },
    });
  }

  /** A client that is this user, and stays connected between operations. */
  static as(userId: string, url: string, parameters: Record<string, unknown> = {}): StockClient {
    return new StockClient(url, { lazy: false, connectionParams: { userId, ...parameters }, onNonLazyError() {} });
  }

  /** Runs a query or a mutation; rejects with the errors of an `error` message. */
  async run(query: string, variables: Record<string, unknown> = {}): Promise<Result> {
    const operation = this.#client.iterate({ query, variables });
    const { value } = await deadline(operation.next(), PATIENCE_MS);
    await operation.return?.();
    return value as Result;
  }

  /** Subscribes, and collects what comes. */
  subscribe(query: string, variables: Record<string, unknown> = {}): Received {
    const received = new Received();
    const stop = this.#client.subscribe({ query, variables }, received.sink);
    this.#open.add(stop);
    received.stop = stop;
    return received;
  }

  /** Resolves once everything sent before has taken effect: what is live is live. */
  async settled(): Promise<void> {
    await this.run("{ viewer { userId } }");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#open) stop();
    await this.#client.dispose();
  }
}

/** What one subscription has brought. */
export class Received {
  readonly results: Result[] = [];
  stop = (): void => {};
  /** Resolves when the subscription has completed; rejects with what it failed with. */
  readonly ended: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #waiting: ((result: Result) => void)[] = [];
  #taken = 0;

  constructor() {
    this.ended = this.#ended.promise;
    // A test that does not look at the end must not fail for it.
    this.ended.catch(() => {});
  }

  /** The next result that has not been taken. */
  next(): Promise<Result> {
    const result = this.results[this.#taken];
    if (result !== undefined) {
      this.#taken++;
      return Promise.resolve(result);
    }
    return deadline(
      new Promise<Result>((resolve) => {
        this.#waiting.push((come) => {
          this.#taken++;
          resolve(come);
        });
      }),
      PATIENCE_MS,
    );
  }

  /** The data of the next result, under its one field. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  async nextField(): Promise<any> {
    const { data, errors } = await this.next();
    if (errors !== undefined) throw new AggregateError(errors, "The event has errors");
    return Object.values(data!)[0];
  }

  /** What the subscription failed with: the errors of its `error` message, or a close event. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  failure(): Promise<any> {
    return deadline(this.ended.then(() => Promise.reject(new Error("It completed")), (error) => error), PATIENCE_MS);
  }

  /** Where graphql-ws puts what comes. */
  readonly sink: Sink<Result> = {
    next: (result) => {
      this.results.push(result);
      this.#waiting.shift()?.(result);
    },
    complete: () => this.#ended.resolve(),
    error: (error) => this.#ended.reject(error),
  };
}
