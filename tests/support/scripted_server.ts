import { deadline } from "@std/async/deadline";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** How long a test waits for what must come, in milliseconds, before it fails. */
const PATIENCE_MS = 10_000;

/** A graphql-transport-ws server whose frames the test writes. */
export class ScriptedServer implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly #connections: ScriptedConnection[] = [];
  readonly #waiting: ((connection: ScriptedConnection) => void)[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => {
      const connection = new ScriptedConnection(socket, () => {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#connections.push(connection);
        else waiting(connection);
      });
    });
  }

  /** Listens on a free port. */
  static async start(): Promise<ScriptedServer> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    const scripted = new ScriptedServer(server);
    await new Promise<void>((resolve) => server.once("listening", () => resolve()));
    return scripted;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection that has been acknowledged and has subscribed. */
  next(): Promise<ScriptedConnection> {
    const connection = this.#connections.shift();
    if (connection !== undefined) return Promise.resolve(connection);
    return deadline(new Promise<ScriptedConnection>((resolve) => this.#waiting.push(resolve)), PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** One client's connection to it. */
export class ScriptedConnection {
  readonly #socket: WebSocket;
  readonly closed: Promise<void>;
  /** What connection_init said. */
  parameters: Readonly<Record<string, unknown>> = {};
  /** The first operation's id. */
  id = "";

  constructor(socket: WebSocket, onSubscribed: () => void) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("message", (bytes) => {
      const { type, id, payload } = JSON.parse(String(bytes));
      if (type === "connection_init") {
        this.parameters = payload;
        this.send({ type: "connection_ack" });
      }
      if (type !== "subscribe" || this.id !== "") return;
      this.id = id;
      onSubscribed();
    });
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  next(content: string, extensions: unknown): void {
    this.send({ id: this.id, type: "next", payload: { data: { messages: { content } }, extensions } });
  }

  cut(): void {
    this.#socket.terminate();
  }
}
