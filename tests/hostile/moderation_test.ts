import { assertEquals } from "@std/assert";
import { MESSAGES } from "../support/documents.ts";
import { ACCEPT, BY_NAME, MatrixWorld } from "../support/matrix_world.ts";
import { untilCountsAre } from "../support/resume_world.ts";
import { TappedRequest, TappedSocket } from "../support/tapped_connections.ts";

const LOBBY = { room: "public-1" };
const JOINING = `subscription ($room: ID) { messages(room: $room, join: true) { content } }`;
const REMOVE = `mutation { removeFromRoom(room: "public-1", userId: "insider", reason: "spam") { success } }`;
const DISCONNECT = `mutation { disconnectUser(userId: "insider", reason: "spam") { success } }`;

const members = async (world: MatrixWorld): Promise<string[]> => {
  const { data } = await world.server.query(`{ room(room: "public-1") { members { nodes { userId } } } }`);
  return data.room.members.nodes.map(({ userId }: { userId: string }) => userId);
};

/** What each format ends with. */
function lastWords(format: "SSE" | "multipart", error: unknown): string {
  const errors = JSON.stringify([error]);
  return format === "SSE"
    ? `event: next\ndata: {"errors":${errors}}\n\nevent: complete\ndata:\n\n`
    : `\r\nContent-Type: application/json\r\n\r\n{"payload":null,"errors":${errors}}\r\n--graphql--\r\n`;
}

const ENDS = [
  ["removeFromRoom", REMOVE, { message: 'Removed from room "public-1": spam', extensions: { code: "FORBIDDEN" } }],
  ["disconnectUser", DISCONNECT, { message: "spam", extensions: { code: "UNAUTHENTICATED" } }],
] as const;

for (const [what, mutation, error] of ENDS) {
  for (const format of ["SSE", "multipart"] as const) {
    Deno.test(`${what} ends a subscription over ${format} with its reason; its user may come back`, async () => {
      const world = await MatrixWorld.start(BY_NAME);
      await using _world = world;
      const subscribe = () =>
        TappedRequest.send(world.as("insider"), {
          query: JOINING,
          variables: LOBBY,
          headers: { accept: ACCEPT[format] },
        });
      await using stream = await subscribe();
      await untilCountsAre(world.server.url, { subscriptions: 1 });

      const { json } = await world.run("owner", "HTTP", mutation, {});
      const { status, body } = await stream.answer();
      await untilCountsAre(world.server.url, { connections: 0, subscriptions: 0 });
      await using again = await subscribe();
      await untilCountsAre(world.server.url, { subscriptions: 1 });

      const words = lastWords(format, error);
      assertEquals([JSON.parse(json).data[what].success, status, body.slice(-words.length)], [true, 200, words]);
      assertEquals([await members(world), again.constructor], [["insider"], TappedRequest]);
    });
  }
}

Deno.test("removeFromRoom ends subscriptions over WebSocket with an error, and its user may come back over the same socket", async () => {
  const world = await MatrixWorld.start(BY_NAME);
  await using _world = world;
  const socket = await world.socket("insider");
  const ids = [
    socket.begin(JOINING, LOBBY),
    socket.begin(MESSAGES, LOBBY),
    socket.begin(MESSAGES, { room: "public-2" }),
  ];
  await untilCountsAre(world.server.url, { subscriptions: 3 });

  await world.run("owner", "HTTP", REMOVE, {});
  const ended = [await socket.next(ids[0]!), await socket.next(ids[1]!)];
  const left = await members(world);
  socket.begin(JOINING, LOBBY);
  await untilCountsAre(world.server.url, { subscriptions: 2 });

  const payload = [ENDS[0][2]];
  assertEquals(ended, [{ id: ids[0], type: "error", payload }, { id: ids[1], type: "error", payload }]);
  assertEquals([left, await members(world), socket.rest(ids[2]!)], [[], ["insider"], []]);
});

Deno.test("disconnectUser closes every WebSocket of the user with 4401 and its reason, and nobody else's", async () => {
  const world = await MatrixWorld.start(BY_NAME);
  await using _world = world;
  const sockets = [await TappedSocket.open(world.as("insider")), await TappedSocket.open(world.as("insider"))];
  const other = await world.socket("reader");

  await world.run("owner", "HTTP", DISCONNECT, {});
  for (const socket of sockets) await socket.ended;

  // A close frame: 0x88, its length, 4401, the reason (RFC 6455 section 5.5.1).
  const closing = "\x88\x06\x11\x31spam";
  assertEquals(world.taps.of("insider").map((bytes) => bytes.endsWith(closing)), [true, true]);
  assertEquals((await other.run("{ __typename }")).type, "next");
  await using again = await TappedSocket.open(world.as("insider"));
  assertEquals((await again.run("{ __typename }")).type, "next");
});

Deno.test("removeFromRoom and disconnectUser are refused without their scope, and end nothing", async () => {
  const world = await MatrixWorld.start(BY_NAME);
  await using _world = world;
  const socket = await world.socket("insider");
  socket.begin(JOINING, LOBBY);
  await untilCountsAre(world.server.url, { subscriptions: 1 });

  const codes = [];
  for (const user of ["reader", "nobody", "locked"]) {
    for (const mutation of [REMOVE, DISCONNECT]) codes.push((await world.run(user, "HTTP", mutation, {})).code);
  }
  codes.push((await world.run("moderator", "HTTP", DISCONNECT, {})).code);

  assertEquals(new Set(codes), new Set(["FORBIDDEN"]));
  await untilCountsAre(world.server.url, { subscriptions: 1 });
  assertEquals(await members(world), ["insider"]);
});
