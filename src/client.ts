/** What a client sends when it connects, beside what {@linkcode resumable} adds. */
export type ConnectionParams = Readonly<Record<string, unknown>> | null | undefined;

/** An operation as it was subscribed with: `variables` tell which room is meant. */
export interface ResumableOperation {
  /** Its id on the wire, the same on every connection. */
  readonly operationId: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly operationName: string | null | undefined;
}

/** What {@linkcode resumable} takes. What a callback or a sink throws, or rejects with, goes to `console.error`. */
export interface ResumableOptions {
  /**
   * Who this is: a token, or `userId` and `sessionId`. A function is called at every
   * connection, the first and each later one; a throw or a rejection fails that one try.
   *
   * @default {`sessionId` alone: a UUID, made once and the same on every connection}
   */
  readonly connectionParams?: ConnectionParams | (() => ConnectionParams | Promise<ConnectionParams>);
  /**
   * Called when something between an operation's last message and its next one is missing
   * for good: fetch what is needed anew. Once for each such hole, as soon as it is known:
   * before the next message, or right behind it when that one tells. A later connection
   * that finds it open still tells again: more may be missing by then.
   */
  readonly onGap?: ((operation: ResumableOperation) => void) | undefined;
  /**
   * Called when an operation has gone on after a break and nothing is missing: what was
   * sent meanwhile has come, or comes next. At most once for each connection and operation,
   * and not on the connection that it was first subscribed on, with `after`.
   */
  readonly onRecovered?: ((operation: ResumableOperation) => void) | undefined;
}

/** Options of graphql-ws's `createClient`, structurally: no package is needed to name them. */
export interface ResumableClientOptions {
  /** Evaluated at every connection: the caller's, `sessionId`, and `resume`, a cursor for each operation id. */
  readonly connectionParams: () => Promise<Record<string, unknown>>;
  readonly on: Readonly<Record<"opened" | "message" | "ping" | "closed" | "error", (event: unknown) => void>>;
  /** A UUID that cannot be guessed: for a guest without a name it is all that is asked for at a return. */
  readonly generateID: () => string;
  /** Changes nothing: it sees what is sent. */
  readonly jsonMessageReplacer: (this: unknown, key: string, value: unknown) => unknown;
  /** Pings the server after so many milliseconds; when then nothing comes for 5 s, the connection is given up. */
  readonly keepAlive: number;
  readonly retryAttempts: number;
  readonly shouldRetry: () => boolean;
  /** Waits 0.25 to 1 s before the first retry, then twice as long each time, at most 5 to 20 s. */
  readonly retryWait: (retries: number) => Promise<void>;
}

interface Remembered {
  readonly operation: ResumableOperation;
  /** Behind the last message that was handed to the app; undefined until the server has said one. */
  readonly cursor: string | undefined;
  /** What need not be told again: of this hole, of this connection. */
  readonly told: Set<Callback>;
}

/** What is used of a WebSocket, whoever made it; nothing before the first has opened. */
type Socket = Partial<{
  onmessage: unknown;
  onerror: unknown;
  onclose: ((event: unknown) => void) | null;
  close: (code: number, reason: string) => void;
}>;

type Callback = "onGap" | "onRecovered";
type Json = Readonly<Record<string, unknown>>;

/** Twice what a server follows on one connection; with their cursors about 20 KB of the 32 KiB it reads. */
const MAX_OPERATIONS = 200;
const KEEP_ALIVE_MS = 12_000;
const PONG_MS = 5_000;
/** As of graphql-ws's `terminate()`, whose own class would have to be imported: it is retried. */
const TERMINATED = { code: 4499, reason: "Terminated", wasClean: false };
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 20_000;

/**
 * Makes graphql-ws lose and repeat nothing when its connection breaks.
 *
 * It remembers behind which message each subscription is, and says so when the client
 * comes back: to any node, after a crash too. Make one for each client, and leave its
 * options as they are; listeners of your own go to the client's `on()`.
 *
 * ```ts ignore
 * const client = createClient({ url, ...resumable({ onGap: ({ variables }) => reload(variables) }) });
 * client.on("connected", () => console.log("connected"));
 * ```
 */
export function resumable(options: ResumableOptions = {}): ResumableClientOptions {
  const ownSessionId = randomUuid();
  /** By operation id; first is the one that has not moved for longest. */
  const operations = new Map<unknown, Remembered>();
  /** What has been looked at while it was written. */
  const written = new WeakSet();
  let socket: Socket = {};
  let pongTimer: ReturnType<typeof setTimeout> | undefined;

  function sent({ type, id, payload }: Json): void {
    if (type === "subscribe") remember({ ...payload as ResumableOperation, operationId: String(id) });
    if (type === "complete") operations.delete(id);
  }

  /** At each connection again, so what is still wanted stands behind what was ended during a break. */
  function remember({ operationId, query, variables, operationName }: ResumableOperation): void {
    // Queries and mutations have no cursor, and many of them must not push out a subscription.
    if (!/\bsubscription\b/.test(query)) return;
    const operation = { operationId, query, variables, operationName };
    const known = operations.get(operationId);
    operations.delete(operationId);
    // One that begins with `after` recovers too, but no break lies before it.
    const told = new Set<Callback>(known === undefined ? ["onRecovered"] : []);
    operations.set(operationId, { operation, cursor: known?.cursor, told });
    if (operations.size > MAX_OPERATIONS) operations.delete(operations.keys().next().value);
  }

  function received({ type, id, payload }: Json): void {
    if (type === "next") receivedFrame(id, asRecord(asRecord(payload).extensions));
    if (type === "ping") receivedPing(asRecord(payload));
    if (type === "complete" || type === "error") operations.delete(id);
  }

  function receivedFrame(id: unknown, { cursor, gap, recovered }: Json): void {
    move(id, cursor);
    if (gap === true || recovered === false) tell("onGap", id);
    if (recovered === true) tell("onRecovered", id);
    // The hole lies behind: whatever is said from here on is of another one.
    operations.get(id)?.told.delete("onGap");
  }

  function receivedPing({ rooms, gap, recovered }: Json): void {
    for (const [id, cursor] of Object.entries(asRecord(rooms))) move(id, cursor);
    for (const id of Object.values(asRecord(gap))) tell("onGap", id);
    for (const id of Object.values(asRecord(recovered))) tell("onRecovered", id);
  }

  function move(id: unknown, cursor: unknown): void {
    const remembered = operations.get(id);
    if (remembered === undefined || typeof cursor !== "string") return;
    operations.delete(id);
    operations.set(id, { ...remembered, cursor });
  }

  function tell(callback: Callback, id: unknown): void {
    const remembered = operations.get(id);
    if (remembered === undefined || remembered.told.has(callback)) return;
    remembered.told.add(callback);
    void call(options[callback], remembered.operation);
  }

  function awaitPong(): void {
    clearTimeout(pongTimer);
    pongTimer = setTimeout(giveUp, PONG_MS, socket);
  }

  /** Anything shows that the path lives: on a slow one a Pong waits behind much else. */
  function heard({ type }: Json): void {
    if (pongTimer === undefined) return;
    if (type === "pong") stopWaiting();
    else awaitPong();
  }

  function stopWaiting(): void {
    clearTimeout(pongTimer);
    pongTimer = undefined;
  }

  return {
    async connectionParams() {
      const given = options.connectionParams;
      const params = typeof given === "function" ? await given() : given;
      const resume: Record<string, string> = {};
      for (const { operation, cursor } of operations.values()) {
        if (cursor !== undefined) resume[operation.operationId] = cursor;
      }
      return {
        ...params,
        sessionId: params?.sessionId ?? ownSessionId,
        ...(Object.keys(resume).length === 0 ? {} : { resume }),
      };
    },
    on: {
      opened: (opened) => void (socket = asRecord(opened)),
      // Called when the operation's sink has returned: the app has the message.
      message(message) {
        heard(asRecord(message));
        received(asRecord(message));
      },
      ping: (fromServer) => fromServer === false && awaitPong(),
      closed() {
        stopWaiting();
        // `terminate()` leaves the old socket wired while it closes, and npm's ws delivers until then.
        // What comes has no sink any more, and would count as handed over.
        socket.onmessage = null;
      },
      error(error) {
        stopWaiting();
        // The socket's own: its close comes next, and is for graphql-ws.
        if ("onclose" in asRecord(asRecord(error).target)) return;
        console.error("The connection is made anew, because of an error in the app:", error);
        // graphql-ws closes the socket and retries. A close that comes late would end the retry, and for good.
        unwire(socket);
      },
    },
    generateID: randomUuid,
    jsonMessageReplacer(key, value) {
      // The message has no name, and what holds it was made for this: any other holder came as a value before.
      if (key === "" && !written.has(this as WeakKey)) sent(asRecord(value));
      if (typeof value === "object" && value !== null) written.add(value);
      return value;
    },
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait(retries) {
      // Spread wide, or a server that starts again meets all its clients at once.
      const mostMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries);
      return new Promise((resolve) => setTimeout(resolve, mostMs * (0.25 + 0.75 * Math.random())));
    },
  };
}

/** As if it had closed: `close()` alone waits for the server's answer, which a dead path does not bring. */
function giveUp(socket: Socket): void {
  const { onclose } = socket;
  unwire(socket);
  socket.close?.(TERMINATED.code, TERMINATED.reason);
  onclose?.(TERMINATED);
}

/** Whatever still happens to it is not of the next connection. */
function unwire(socket: Socket): void {
  socket.onmessage = null;
  socket.onclose = null;
  // Not null: npm's ws throws errors that nobody listens for.
  socket.onerror = () => {};
}

/** Not `reportError()`: where nobody listens for it, Deno ends the program. */
async function call(callback: ResumableOptions["onGap"], operation: ResumableOperation): Promise<void> {
  try {
    await callback?.(operation);
  } catch (error) {
    console.error("A callback of resumable() has failed:", error);
  }
}

/** Not `crypto.randomUUID()`: pages from another machine lack it without TLS. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6]! & 0x0f | 0x40;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** What a server sends is looked at, not trusted. */
function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null ? value as Json : {};
}
