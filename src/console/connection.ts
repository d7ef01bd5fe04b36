import { type Client, createClient, type FormattedExecutionResult } from "graphql-ws/client";

/** Where the connection is. */
export type ConnectionState = "connecting" | "live" | "reconnecting" | "expired";

/** What comes with an event, beside its data. */
export interface EventExtensions {
  /** Where it stands: to begin after it misses nothing. */
  readonly cursor?: string;
  /** True when something before it was lost. */
  readonly gap?: boolean;
  /** False when what came after the cursor asked for was lost. */
  readonly recovered?: boolean;
}

/** What a connection is made with. */
export interface ConnectionOptions {
  readonly url: string;
  /** Asked at each connection: who this is. */
  parameters(): Readonly<Record<string, unknown>>;
  onState(state: ConnectionState): void;
  /** Called at each connection, also after the first, with who we are; null: nobody, for want of a token. */
  onConnected(userId: string | null): void;
  /** Called when the token has expired. The next try is made once it resolves. */
  onExpired(): Promise<void>;
  /** Called when the server lets nobody in for now, with why. It is tried again. */
  onPutOff(reason: string): void;
  /** Called when the server has refused for good, with the event of the close. Nothing comes after it. */
  onRefused(failure: unknown): void;
}

/** A connection that comes back by itself, and its operations. */
export interface Connection {
  /** Runs a query or a mutation. Rejects with its errors. */
  run<Data>(query: string, variables: Record<string, unknown>): Promise<Data>;
  /** Subscribes, and again after each reconnect, with the variables as they are by then. */
  follow<Data>(query: string, variables: Record<string, unknown>, handlers: FollowHandlers<Data>): void;
  close(): void;
}

/** What becomes of a subscription. */
export interface FollowHandlers<Data> {
  next(data: Data, extensions: EventExtensions): void;
  /** Called once, with the errors it ended with. */
  failed(failure: unknown): void;
}

const PING_MS = 10_000;
const PONG_MS = 5_000;
/** The longest wait between two tries. */
const RETRY_MS = 8_000;

/** Close codes of the server that say: come back. */
const CLOSE_CODES = { tryAgainLater: 1013, tokenExpired: 4403 } as const;

/** Connects, and keeps connected until closed or refused. */
export function openConnection(options: ConnectionOptions): Connection {
  const { url, parameters, onState, onConnected, onExpired, onPutOff, onRefused } = options;
  let closed = false;
  /** Resolves once there is another token; undefined while it is not needed. */
  let renewal: Promise<void> | undefined;
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  const client: Client = createClient({
    url,
    connectionParams: () => parameters(),
    lazy: false,
    // By its own rules it would give up when the server is away for a moment.
    retryAttempts: Infinity,
    shouldRetry: () => true,
    async retryWait(retries) {
      if (renewal === undefined) return await wait(Math.min(RETRY_MS, 300 * 2 ** retries) * (0.5 + Math.random() / 2));
      await renewal;
      renewal = undefined;
    },
    keepAlive: PING_MS,
    onNonLazyError: (failure) => {
      if (!closed) onRefused(failure);
    },
    on: {
      connecting: (isRetry) => onState(isRetry ? "reconnecting" : "connecting"),
      connected: (_socket, payload) => {
        onState("live");
        const userId = payload?.["userId"] ?? null;
        onConnected(userId === null ? null : String(userId));
      },
      closed: (event) => {
        clearTimeout(pongTimer);
        if (closed) return;
        const { code, reason } = event as CloseEvent;
        const isExpired = code === CLOSE_CODES.tokenExpired;
        onState(isExpired ? "expired" : "reconnecting");
        if (isExpired) renewal = onExpired();
        if (code === CLOSE_CODES.tryAgainLater) onPutOff(reason);
      },
      // A network that has gone says nothing: who does not answer is gone.
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_MS);
      },
      pong: () => clearTimeout(pongTimer),
    },
  });

  return {
    run: <Data>(query: string, variables: Record<string, unknown>) =>
      new Promise<Data>((resolve, reject) => {
        let result: FormattedExecutionResult<Data> | undefined;
        client.subscribe<Data>({ query, variables }, {
          next: (next) => result = next as FormattedExecutionResult<Data>,
          error: reject,
          complete: () => result?.data && !result.errors ? resolve(result.data) : reject(result?.errors),
        });
      }),
    follow: (query, variables, { next, failed }) =>
      void client.subscribe({ query, variables }, {
        next: ({ data, errors, extensions }) => errors ? failed(errors) : next(data as never, extensions ?? {}),
        error: (failure) => {
          if (!closed) failed(failure);
        },
        complete() {},
      }),
    close() {
      closed = true;
      void client.dispose();
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
