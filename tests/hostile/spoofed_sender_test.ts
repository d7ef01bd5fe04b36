import { assertEquals } from "@std/assert";
import { BY_NAME, MatrixWorld, ROADS } from "../support/matrix_world.ts";

/** Each a way to say who sends it, and what becomes of that. */
const ATTEMPTS: readonly (readonly [what: string, query: string, variables: unknown, code: string])[] = [
  [
    "an argument",
    `mutation { sendMessage(room: "lobby", content: "x", senderId: "bob") { message { senderId } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "an argument by a variable",
    `mutation ($senderId: ID!) { sendMessage(room: "lobby", content: "x", senderId: $senderId) { message { senderId } } }`,
    { senderId: "bob" },
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "a variable nobody uses",
    `mutation ($senderId: ID) { sendMessage(room: "lobby", content: "x") { message { senderId } } }`,
    { senderId: "bob" },
    "GRAPHQL_VALIDATION_FAILED",
  ],
  ["a variable nobody declared", `mutation { sendMessage(room: "lobby", content: "x") { message { senderId } } }`, {
    senderId: "bob",
    userId: "bob",
    sender: { id: "bob" },
  }, "ok"],
  [
    "a default",
    `mutation ($senderId: ID = "bob") { sendMessage(room: "lobby", content: "x", senderId: $senderId) { message { senderId } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "a nested input",
    `mutation { sendMessage(input: { room: "lobby", content: "x", senderId: "bob" }) { message { senderId } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "an object for the content",
    `mutation ($content: String!) { sendMessage(room: "lobby", content: $content) { message { senderId } } }`,
    { content: { text: "x", senderId: "bob" } },
    "BAD_USER_INPUT",
  ],
  [
    "the data",
    `mutation ($data: JSON) { sendMessage(room: "lobby", content: "x", data: $data) { message { senderId } } }`,
    { data: { senderId: "bob", __proto__: { senderId: "bob" }, excludedSessionId: "x" } },
    "ok",
  ],
  [
    "an alias",
    `mutation { sendMessage(room: "lobby", content: "x") { message { content: senderId senderId: content } } }`,
    {},
    "ok",
  ],
  [
    "a user id",
    `mutation { sendMessage(room: "lobby", content: "x", userId: "bob") { message { senderId } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "a broadcast",
    `mutation { broadcast(room: "lobby", event: "e", content: "x", senderId: "bob") { message { senderId } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
  ],
  [
    "a broadcast as the server",
    `mutation { broadcast(event: "e", content: "x", data: { senderId: "server" }) { message { senderId } } }`,
    {},
    "ok",
  ],
  [
    "an event's name",
    `mutation { broadcast(room: "lobby", event: "senderId:bob", content: "x") { message { senderId } } }`,
    {},
    "ok",
  ],
  [
    "an idempotency key",
    `mutation { sendMessage(room: "lobby", content: "x", idempotencyKey: "bob\\u0000key") { message { senderId } } }`,
    {},
    "ok",
  ],
];

Deno.test("who sends is who asks, whatever a request says of it, over HTTP and WebSocket", async () => {
  const world = await MatrixWorld.start(BY_NAME);
  await using _world = world;
  const reader = await world.socket("operator");
  const id = reader.begin('subscription { messages(room: "lobby") { senderId } }');
  const answers = [];

  for (const road of ROADS.mutation) {
    for (const [what, query, variables] of ATTEMPTS) {
      const { code, status } = await world.run("owner", road, query, variables);
      answers.push([what, code]);
      assertEquals(status, 200, what);
    }
  }

  assertEquals(answers, [...ATTEMPTS, ...ATTEMPTS].map(([what, , , code]) => [what, code]));
  await world.provoke("lobby", "message", "the last");
  const senders: string[] = [];
  while (senders.at(-1) !== "operator") senders.push((await reader.next(id)).payload.data.messages.senderId);
  assertEquals(new Set(senders.slice(0, -1)), new Set(["owner"]));
  // Each but the repeated idempotency key once over both ways, and the last.
  assertEquals(senders.length, 2 * ATTEMPTS.filter(([, , , code]) => code === "ok").length);
});

Deno.test("another sender's idempotency key answers nothing of its message", async () => {
  const world = await MatrixWorld.start(BY_NAME);
  await using _world = world;
  const query =
    `mutation { sendMessage(room: "public-1", content: "x", idempotencyKey: "key") { duplicate message { senderId } } }`;

  const answers = [];
  for (const user of ["owner", "insider", "owner"]) {
    answers.push(JSON.parse((await world.run(user, "HTTP", query, {})).json));
  }

  assertEquals(answers.map(({ data: { sendMessage: { duplicate, message } } }) => [duplicate, message.senderId]), [
    [false, "owner"],
    [false, "insider"],
    [true, "owner"],
  ]);
});
