import { HttpStream } from "./http_stream.ts";
import { RawSocket, UPGRADE } from "./raw_socket.ts";

/** Whose connection it is, where to, and the room it is in. */
export interface DyingConnection {
  readonly port: number;
  readonly userId: string;
  readonly room: string;
}

/** Opens a connection and ends it. What it resolves with ends when the server has noticed that nobody is there. */
export type Death = (connection: DyingConnection) => Promise<void | RawSocket>;

/** The ways in which a connection can end. */
export const DEATHS: Readonly<Record<string, Death>> = {
  "a close": async (connection) => (await live(connection)).close(),
  "an end": async (connection) => (await live(connection)).end(),
  "a reset": async (connection) => (await live(connection)).reset(),
  "silence": (connection) => live(connection),
  "silence when the server closes": async (connection) => {
    const socket = await live(connection);
    // An id that is used already.
    await socket.send(follow("messages", connection));
    return socket;
  },
  "silence before anything is asked": ({ port }) => RawSocket.connect(port),
  "a reset within the upgrade": async ({ port }) => {
    const socket = await RawSocket.connect(port);
    await socket.send(UPGRADE.slice(0, 60));
    await socket.reset();
  },
  "a reset behind the upgrade": async ({ port }) => {
    const socket = await RawSocket.connect(port);
    await socket.send(UPGRADE);
    await socket.reset();
  },
  "an end behind connection_init": async (connection) => {
    const socket = await RawSocket.connect(connection.port);
    await socket.send(UPGRADE, init(connection));
    await socket.end();
  },
  "a reset during a mutation": async (connection) => {
    const socket = await acknowledged(connection);
    await socket.send(join(connection));
    await socket.reset();
  },
  "an end during a mutation": async (connection) => {
    const socket = await acknowledged(connection);
    await socket.send(follow("messages", connection), join(connection));
    await socket.end();
  },
  "a reset while subscriptions begin": async (connection) => {
    const socket = await acknowledged(connection);
    await socket.send(follow("joining", connection), follow("events", connection));
    await socket.reset();
  },
  "a complete and a subscribe with one id in one chunk": async (connection) => {
    const socket = await live(connection);
    const again = [{ id: "messages", type: "complete" }, follow("messages", connection)];
    await socket.send(...again, ...again);
    await socket.end();
  },
  "a complete and a subscribe with one id in one chunk, and a reset": async (connection) => {
    const socket = await acknowledged(connection);
    await socket.send(
      follow("joining", connection),
      { id: "joining", type: "complete" },
      follow("joining", connection),
    );
    await socket.reset();
  },
  "a reset behind the request for a stream": async ({ port, room }) => {
    const socket = await RawSocket.connect(port);
    const { query } = follow("joining", { room }).payload;
    const path = `/graphql?query=${encodeURIComponent(query)}`;
    await socket.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
    await socket.reset();
  },
  "a stream that is broken off": async ({ port, userId, room }) => {
    const { query } = follow("joining", { room }).payload;
    const headers = { accept: "text/event-stream", "x-user-id": userId };
    await using _stream = await HttpStream.subscribe(`http://127.0.0.1:${port}/graphql`, query, { headers });
  },
};

const FIELDS = {
  messages: (room: string) => `messages(room: "${room}") { content }`,
  joining: (room: string) => `messages(room: "${room}", join: true) { content }`,
  events: (room: string) => `roomEvents(room: "${room}", types: [SNAPSHOT, JOINED, LEFT, UPDATED]) { type }`,
} as const;

function init({ userId }: DyingConnection) {
  return { type: "connection_init", payload: { userId } };
}

/** The subscriptions that connections have, by the names they go by. */
export function follow(what: keyof typeof FIELDS, { room }: Pick<DyingConnection, "room">) {
  return { id: what, type: "subscribe", payload: { query: `subscription { ${FIELDS[what](room)} }` } };
}

/** A join with a state: it is dropped when its session ends. */
function join({ room }: DyingConnection) {
  const query = `mutation { joinRoom(room: "${room}", state: "here") { success } }`;
  return { id: "join", type: "subscribe", payload: { query } };
}

async function acknowledged(connection: DyingConnection): Promise<RawSocket> {
  const socket = await RawSocket.connect(connection.port);
  await socket.send(UPGRADE, init(connection));
  await socket.until(/connection_ack/);
  return socket;
}

/** A connection that has everything one can have: subscriptions, a receipt, a membership, a state. */
async function live(connection: DyingConnection): Promise<RawSocket> {
  const socket = await acknowledged(connection);
  const unique = { ...follow("joining", connection), id: crypto.randomUUID() };
  await socket.send(follow("messages", connection), follow("events", connection), unique, join(connection));
  await socket.until(/"joinRoom":\{"success":true/);
  return socket;
}
