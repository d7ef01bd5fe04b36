import { assertEquals } from "@std/assert";
import { createLog } from "../../src/telemetry/log.ts";
import type { RoomsOptions } from "../../src/options.ts";
import { authorizeByName, type MatrixOperation } from "./authorization_matrix.ts";
import { type LocalServer, startLocalServer } from "./local_server.ts";
import { type Credentials, TappedRequest, TappedSocket, type Tapping, Taps } from "./tapped_connections.ts";

/** How a test's users say who they are, and what the server believes. */
export interface MatrixRoad {
  readonly auth: NonNullable<RoomsOptions["auth"]>;
  credentialsOf(user: string): Credentials;
}

/** Users name themselves to an open server, and its program knows their rights. */
export const BY_NAME: MatrixRoad = {
  auth: { authorize: authorizeByName },
  credentialsOf: (user) => ({ headers: { "x-user-id": user }, params: { userId: user } }),
};

/** The ways an operation can take. */
export const ROADS = {
  query: ["HTTP", "WebSocket"],
  mutation: ["HTTP", "WebSocket"],
  subscription: ["WebSocket", "SSE", "multipart"],
} as const;

/** A way an operation can take. */
export type Road = "HTTP" | "WebSocket" | "SSE" | "multipart";

export const ACCEPT = {
  HTTP: "application/json",
  // With JSON too a refusal has a status of its own.
  SSE: "text/event-stream, application/json",
  multipart: "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
} as const;

/** Who may do everything, and is none of the users. */
const OPERATOR = "operator";

/** Something running that an allowed subscription brings. */
export interface Running extends AsyncDisposable {
  /** Resolves once this has come. */
  brings(text: string): Promise<void>;
}

/** A server whose every line of log is kept, and users whose every byte is. */
export class MatrixWorld implements AsyncDisposable {
  readonly taps = new Taps();
  readonly #sockets = new Map<string, Promise<TappedSocket>>();
  #ghosts = 0;

  private constructor(readonly server: LocalServer, readonly road: MatrixRoad, readonly log: readonly string[]) {}

  static async start(road: MatrixRoad, auth: RoomsOptions["auth"] = road.auth): Promise<MatrixWorld> {
    const log: string[] = [];
    const telemetry = createLog({ level: "debug", format: "json", write: (line) => void log.push(line) });
    return new MatrixWorld(await startLocalServer({ auth, telemetry }), road, log);
  }

  /** Connections of this user. */
  as(user: string): Tapping {
    return { port: this.server.port, taps: this.taps, user, credentials: this.road.credentialsOf(user) };
  }

  /** The user's one WebSocket. */
  socket(user: string): Promise<TappedSocket> {
    let socket = this.#sockets.get(user);
    if (socket === undefined) this.#sockets.set(user, socket = TappedSocket.open(this.as(user)));
    return socket;
  }

  /** Runs a query or a mutation; over WebSocket what would be the status is 200. */
  async run(
    user: string,
    road: Road,
    query: string,
    variables: unknown,
  ): Promise<{ code: string; json: string; status: number }> {
    if (road === "WebSocket") {
      const { type, payload } = await (await this.socket(user)).run(query, variables);
      const errors = type === "error" ? payload : payload.errors;
      return { code: errors?.[0].extensions.code ?? "ok", json: JSON.stringify(payload), status: 200 };
    }
    await using request = await TappedRequest.send(this.as(user), { query, variables });
    const { status, body } = await request.answer();
    return { code: JSON.parse(body).errors?.[0].extensions.code ?? "ok", json: body, status };
  }

  /** Begins a subscription: its refusal, or what runs. It is waited for what is expected. */
  async begin(
    user: string,
    road: Road,
    { query }: MatrixOperation,
    { variables, expected }: { readonly variables: unknown; readonly expected: string },
  ): Promise<{ code: string; json: string; running?: Running }> {
    const before = await this.#subscriptions();
    const isGone = async (): Promise<void> => {
      while (await this.#subscriptions() !== before);
    };
    if (road === "WebSocket") {
      const socket = await this.socket(user);
      const id = socket.begin(query, variables);
      // There is no word for a beginning: it is live once it counts.
      let message = expected === "ok" ? undefined : await socket.next(id);
      while (message === undefined && await this.#subscriptions() === before) [message] = socket.rest(id);
      if (message?.type === "error") {
        return { code: message.payload[0].extensions.code, json: JSON.stringify(message.payload) };
      }
      return {
        code: "ok",
        json: "",
        running: {
          brings: async (text) => {
            while (!JSON.stringify(message ?? null).includes(text)) message = await socket.next(id);
          },
          [Symbol.asyncDispose]: async () => {
            socket.send({ id, type: "complete" });
            await isGone();
            socket.rest(id);
          },
        },
      };
    }
    const accept = ACCEPT[road];
    const request = await TappedRequest.send(this.as(user), { query, variables, headers: { accept } });
    const head = await request.until(/\r\n\r\n/);
    if (/content-type: (?:text\/event-stream|multipart\/mixed)/i.test(head)) {
      return {
        code: "ok",
        json: "",
        running: {
          brings: async (text) => void await request.until(new RegExp(text)),
          [Symbol.asyncDispose]: async () => {
            await request[Symbol.asyncDispose]();
            await isGone();
          },
        },
      };
    }
    const { status, body } = await request.answer();
    assertEquals(status, road === "SSE" ? 400 : 200, body);
    return { code: JSON.parse(body).errors[0].extensions.code, json: body };
  }

  /** Makes something happen in the room that a subscription tells of. */
  async provoke(room: string, brings: "message" | "join", text: string): Promise<void> {
    if (brings === "message") {
      const query = `mutation ($room: ID!, $text: String!) { sendMessage(room: $room, content: $text) { success } }`;
      await (await this.socket(OPERATOR)).run(query, { room, text });
    } else {
      await this.join(room, text);
    }
  }

  /** Makes somebody of this name a member for a minute. */
  async join(room: string, userId: string, state: unknown = null): Promise<void> {
    const response = await fetch(this.server.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...this.road.credentialsOf(userId).headers },
      body: JSON.stringify({
        query: `mutation ($room: ID!, $state: JSON) { joinRoom(room: $room, state: $state) { success } }`,
        variables: { room, state },
      }),
    });
    assertEquals((await response.json()).errors, undefined);
  }

  /** Runs a query or a mutation as one who may do everything. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came back
  async ask(query: string, variables: unknown = {}): Promise<any> {
    const { code, json } = await this.run(OPERATOR, "HTTP", query, variables);
    assertEquals(code, "ok", json);
    return JSON.parse(json).data;
  }

  async #subscriptions(): Promise<number> {
    const { payload } = await (await this.socket(OPERATOR)).run("{ server { subscriptions } }");
    return payload.data.server.subscriptions;
  }

  /** A name that nobody has had. */
  ghost(): string {
    return `ghost-${this.#ghosts++}-`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.values()) await (await socket)[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
