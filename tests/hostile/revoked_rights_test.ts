import { assertEquals, assertMatch } from "@std/assert";
import { MESSAGES, SEND } from "../support/documents.ts";
import { ACCEPT, BY_NAME, MatrixWorld } from "../support/matrix_world.ts";
import { untilCountsAre } from "../support/resume_world.ts";
import { TappedRequest, TappedSocket } from "../support/tapped_connections.ts";

const VAULT = { room: "vault" };
const SECRET = "s3cr3t";
const NOT_ALLOWED = { message: 'Cannot read room "vault": not allowed', extensions: { code: "FORBIDDEN" } };
const LAST = `subscription ($room: ID) { messages(room: $room, last: 100) { content } }`;

/** A server whose eve loses the right to the vault when a test says so. */
async function openVault() {
  let isRevoked = false;
  const world = await MatrixWorld.start(BY_NAME, {
    authorize: ({ userId }, action) => !(isRevoked && userId === "eve" && "room" in action && action.room === "vault"),
  });
  const { server } = world;
  return {
    world,
    url: server.url,
    send: (content: string) => server.query(SEND, { ...VAULT, content }),
    head: async (): Promise<string> => (await server.query(`{ room(room: "vault") { head } }`)).data.room.head,
    async revoke(): Promise<void> {
      isRevoked = true;
      await server.reauthorize("eve");
    },
    grant(): void {
      isRevoked = false;
    },
    /** Fails when any byte of a secret has come to eve. */
    async checkNothingCame(): Promise<void> {
      // What has been sent before this has come, if it was sent to her at all.
      await (await world.socket("eve")).run("{ __typename }");
      assertEquals(world.taps.of("eve").filter((bytes) => bytes.includes(SECRET)), []);
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

Deno.test("a subscription over WebSocket ends with FORBIDDEN when its right is revoked; the socket and its others live", async () => {
  await using vault = await openVault();
  const socket = await vault.world.socket("eve");
  const [revoked, other] = [socket.begin(MESSAGES, VAULT), socket.begin(MESSAGES, { room: "lobby" })];
  await untilCountsAre(vault.url, { subscriptions: 2 });

  await vault.revoke();
  await vault.send(SECRET);
  await vault.world.server.query(SEND, { room: "lobby", content: "for all" });

  assertEquals(await socket.next(revoked), { id: revoked, type: "error", payload: [NOT_ALLOWED] });
  assertEquals((await socket.next(other)).payload.data.messages.content, "for all");
  await vault.checkNothingCame();
  assertEquals(socket.rest(revoked), []);
  await untilCountsAre(vault.url, { subscriptions: 1, connections: 1 });
});

const LAST_WORDS = {
  SSE: `event: next\ndata: {"errors":[${JSON.stringify(NOT_ALLOWED)}]}\n\nevent: complete\ndata:\n\n`,
  multipart: `\r\nContent-Type: application/json\r\n\r\n{"payload":null,"errors":[${
    JSON.stringify(NOT_ALLOWED)
  }]}\r\n--graphql--\r\n`,
};

for (const format of ["SSE", "multipart"] as const) {
  Deno.test(`a subscription over ${format} ends with FORBIDDEN when its right is revoked, and its answer with it`, async () => {
    await using vault = await openVault();
    const headers = { accept: ACCEPT[format] };
    await using stream = await TappedRequest.send(vault.world.as("eve"), {
      query: MESSAGES,
      variables: VAULT,
      headers,
    });
    await untilCountsAre(vault.url, { subscriptions: 1 });

    await vault.revoke();
    // It has left at once, whenever its client reads that.
    await untilCountsAre(vault.url, { subscriptions: 0 });
    await vault.send(SECRET);

    const { status, body } = await stream.answer();
    assertEquals([status, body.slice(-LAST_WORDS[format].length)], [200, LAST_WORDS[format]]);
    await vault.checkNothingCame();
  });
}

for (const format of ["WebSocket", "SSE", "multipart"] as const) {
  Deno.test(`what waits for a reader that catches up over ${format} is not sent once its right is revoked`, async () => {
    await using vault = await openVault();
    const { world } = vault;
    // More than may wait for one reader, and of that only the newest is secret.
    for (let sent = 0; sent < 15; sent++) await vault.send("x".repeat(60_000));
    await vault.send(SECRET);
    const copies = Array.from({ length: 15 }, (_, copy) => `c${copy}: content`).join(" ");
    const query = `subscription ($room: ID) { messages(room: $room, last: 100) { ${copies} } }`;
    const connection = format === "WebSocket"
      ? await world.socket("eve")
      : await TappedRequest.send(world.as("eve"), { query, variables: VAULT, headers: { accept: ACCEPT[format] } });
    await using _connection = connection;
    connection.stall();
    const id = connection instanceof TappedSocket ? connection.begin(query, VAULT) : "";
    await untilCountsAre(vault.url, { subscriptions: 1 });

    await vault.revoke();
    connection.resume();

    if (connection instanceof TappedSocket) {
      for (let message = await connection.next(id); message.type !== "error"; message = await connection.next(id));
    } else await connection.answer();
    await vault.checkNothingCame();
  });
}

Deno.test("who comes back by a receipt, by an entry or by both after its right was revoked is refused, without a byte", async () => {
  await using vault = await openVault();
  const { world } = vault;
  const id = crypto.randomUUID();
  const cursor = await vault.head();
  const first = await TappedSocket.open(world.as("eve"), { sessionId: "tab" });
  first.begin(MESSAGES, VAULT, id);
  await untilCountsAre(vault.url, { subscriptions: 1 });
  await vault.send("while she may");
  assertEquals((await first.next(id)).type, "next");
  await first[Symbol.asyncDispose]();
  await untilCountsAre(vault.url, { subscriptions: 0 });
  await vault.revoke();
  await vault.send(SECRET);

  for (
    const params of [{}, { sessionId: "tab" }, { resume: { [id]: cursor } }, {
      sessionId: "tab",
      resume: { [id]: cursor },
    }]
  ) {
    await using again = await TappedSocket.open(world.as("eve"), params);
    again.begin(MESSAGES, VAULT, id);
    const { type, payload } = await again.next(id);
    const what = JSON.stringify(params);
    assertEquals([type, withoutPlace({ errors: payload })], ["error", { errors: [NOT_ALLOWED] }], what);
  }

  await vault.checkNothingCame();
  vault.grant();
  await using back = await TappedSocket.open(world.as("eve"), { resume: { [id]: cursor } });
  back.begin(MESSAGES, VAULT, id);
  assertEquals((await back.next(id)).payload.data.messages.content, "while she may");
  assertEquals((await back.next(id)).payload.data.messages.content, SECRET);
});

for (const [format, status] of [["SSE", 400], ["multipart", 200]] as const) {
  Deno.test(`who comes back over ${format} by Last-Event-ID, or after a cursor, after its right was revoked is refused`, async () => {
    await using vault = await openVault();
    const cursor = await vault.head();
    await vault.revoke();
    await vault.send(SECRET);
    const after = `subscription ($room: ID, $after: Cursor) { messages(room: $room, after: $after) { content } }`;
    const events = `subscription ($room: ID!) { roomEvents(room: $room, types: [SNAPSHOT]) { type } }`;

    const answers = [];
    for (const query of [MESSAGES, LAST, after, events]) {
      const headers = { accept: ACCEPT[format], "last-event-id": cursor };
      const variables = query === after ? { ...VAULT, after: cursor } : VAULT;
      await using request = await TappedRequest.send(vault.world.as("eve"), { query, variables, headers });
      answers.push(await request.answer());
    }

    const refusal = { errors: [NOT_ALLOWED] };
    assertEquals(answers.map((one) => one.status), Array.from(answers, () => status));
    assertEquals(answers.map(({ body }) => withoutPlace(JSON.parse(body))), Array.from(answers, () => refusal));
    await vault.checkNothingCame();
  });
}

Deno.test("a client that reads a refusal from the stream alone is told there, and the stream ends", async () => {
  await using vault = await openVault();
  await vault.revoke();
  await vault.send(SECRET);
  const headers = { accept: "text/event-stream" };

  await using request = await TappedRequest.send(vault.world.as("eve"), { query: LAST, variables: VAULT, headers });
  const { status, body } = await request.answer();

  assertEquals(status, 200);
  assertMatch(
    body,
    /^event: next\ndata: \{"errors":\[\{"message":"Cannot read room \\"vault\\": not allowed".*\]\}\n\nevent: complete\ndata:\n\n$/,
  );
  await vault.checkNothingCame();
});

Deno.test("history after a cursor of before is refused over HTTP and WebSocket once the right is revoked", async () => {
  await using vault = await openVault();
  const cursor = await vault.head();
  await vault.revoke();
  await vault.send(SECRET);
  const query =
    `query ($room: ID!, $after: Cursor) { room(room: $room) { messages(first: 10, after: $after) { nodes { content } } } }`;

  for (const road of ["HTTP", "WebSocket"] as const) {
    assertEquals((await vault.world.run("eve", road, query, { ...VAULT, after: cursor })).code, "FORBIDDEN", road);
  }

  await vault.checkNothingCame();
});

Deno.test("what its client has completed while it was being begun hears nothing of a revocation: its id may be another's", async () => {
  const asked: ((allowed: boolean) => void)[] = [];
  const world = await MatrixWorld.start(BY_NAME, {
    authorize: (_principal, action) =>
      "room" in action && action.room === "vault" ? new Promise((resolve) => asked.push(resolve)) : true,
  });
  await using _world = world;
  const socket = await world.socket("eve");
  const until = async (count: number): Promise<void> => {
    while (asked.length < count) await socket.run("{ __typename }");
  };
  socket.begin(MESSAGES, VAULT, "same");
  await until(1);
  // Rights change while it is being asked: it is registered, and asked again.
  await world.server.reauthorize("bob");
  asked[0]!(true);
  await until(2);
  socket.send({ id: "same", type: "complete" });
  socket.begin(MESSAGES, { room: "lobby" }, "same");
  await untilCountsAre(world.server.url, { subscriptions: 1 });

  const reauthorized = world.server.reauthorize("eve");
  await until(3);
  asked[2]!(false);
  asked[1]!(true);
  await reauthorized;
  await world.server.query(SEND, { room: "lobby", content: "for the second" });

  const message = await socket.next("same");
  assertEquals([message.type, message.payload.data?.messages.content], ["next", "for the second"]);
});

/** graphql-js adds where in the document an error was: no secret, and no part of what is looked at here. */
function withoutPlace({ errors }: { errors: readonly Record<string, unknown>[] }) {
  return { errors: errors.map(({ message, extensions }) => ({ message, extensions })) };
}
