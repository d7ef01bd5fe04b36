import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createSchema } from "../../src/graphql/schema.ts";
import { openSchemaWorld } from "../support/schema_world.ts";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MESSAGE = "id room senderId content timestamp event data cursor idempotencyKey";

Deno.test("sendMessage answers with the message its readers get", async () => {
  await using world = await openSchemaWorld();
  const [ann, ben] = [world.connect("ann"), world.connect("ben")];
  const { member } = await world.subscribe(`subscription { messages(room: "lobby") { ${MESSAGE} } }`, ben);

  const { data, errors } = await world.run(
    `mutation ($x: Int) {
      sendMessage(room: "lobby", content: "hello", data: { x: $x, list: [1.5, "a", null, true] }, idempotencyKey: "k") {
        success room duplicate message { ${MESSAGE} }
      }
    }`,
    ann,
    { x: 7 },
  );

  assertEquals(errors, undefined);
  const { message, ...payload } = data.sendMessage;
  assertEquals(payload, { success: true, room: "lobby", duplicate: false });
  const { id, timestamp, cursor, ...said } = message;
  assertEquals(said, {
    room: "lobby",
    senderId: "ann",
    content: "hello",
    event: null,
    data: { x: 7, list: [1.5, "a", null, true] },
    idempotencyKey: "k",
  });
  assertMatch(timestamp, INSTANT);
  assert(id.length > 0 && cursor.length > 0);
  assertEquals(member.results.map((result) => result.data.messages), [message]);
});

Deno.test("G6 a repeat with the same key answers with the first message", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  const send = `mutation { sendMessage(room: "lobby", content: "hello", idempotencyKey: "k") {
    duplicate message { id timestamp content } } }`;

  const [first, second] = [await world.run(send, ann), await world.run(send, ann)];

  assertEquals([first.data.sendMessage.duplicate, second.data.sendMessage.duplicate], [false, true]);
  assertEquals(second.data.sendMessage.message, first.data.sendMessage.message);
});

Deno.test("broadcast reaches everyone, and subscribers can ask for one event name alone", async () => {
  await using world = await openSchemaWorld();
  const [service, ann] = [world.connect("service"), world.connect("ann")];
  const [all, room, priced] = [
    await world.subscribe(`subscription { messages { event } }`, ann),
    await world.subscribe(`subscription { messages(room: "lobby") { event room } }`, ann),
    await world.subscribe(`subscription { messages(room: "lobby", event: "price") { event } }`, ann),
  ];

  const answers = [
    await world.run(`mutation { broadcast(event: "news") { room duplicate message { content room } } }`, service),
    await world.run(
      `mutation { broadcast(room: "lobby", event: "price", data: 3) { room message { data } } }`,
      service,
    ),
  ];

  assertEquals(answers.map(({ data }) => data.broadcast), [
    { room: null, duplicate: false, message: { content: "", room: null } },
    { room: "lobby", message: { data: 3 } },
  ]);
  const seen = (member: typeof all.member) => member.results.map(({ data }) => data.messages.event);
  assertEquals([seen(all.member), seen(room.member), seen(priced.member)], [["news"], ["news", "price"], ["price"]]);
});

Deno.test("joinRoom and leaveRoom answer with room and member, and others see each once", async () => {
  await using world = await openSchemaWorld();
  const [ann, ben] = [world.connect("ann"), world.connect("ben")];
  const { member, errors } = await world.subscribe(
    `subscription { roomEvents(room: "a/b") {
      __typename type userId room timestamp cursor
      ... on UserJoined { userId member { id userId joinedAt sessionCount state } }
      ... on UserLeft { userId reason }
      ... on RoomSnapshot { userId }
    } }`,
    ben,
  );
  assertEquals(errors, undefined);

  const joined = await world.run(
    `mutation { joinRoom(room: "a/b") { success room expiresAt member { id userId sessionCount joinedAt state } } }`,
    ann,
  );
  const left = await world.run(`mutation { leaveRoom(room: "a/b") { success room } }`, ann);
  const again = await world.run(`mutation { leaveRoom(room: "a/b") { success room } }`, ann);

  const [first, second, ...more] = member.results.map(({ data }) => data.roomEvents);
  assertEquals(joined.data.joinRoom, { success: true, room: "a/b", expiresAt: null, member: first.member });
  assertEquals([left.data.leaveRoom, again.data.leaveRoom], [
    { success: true, room: "a/b" },
    { success: false, room: "a/b" },
  ]);
  assertEquals(first.member, {
    id: "a%2Fb/ann",
    userId: "ann",
    joinedAt: first.timestamp,
    sessionCount: 1,
    state: null,
  });
  assertEquals([first.__typename, first.type, first.userId, first.room], ["UserJoined", "JOINED", "ann", "a/b"]);
  assertEquals([second.__typename, second.type, second.userId, second.reason], ["UserLeft", "LEFT", "ann", "LEFT"]);
  assertEquals(more, []);
  assertNotEquals(first.cursor, second.cursor);
});

Deno.test("roomEvents gives only the types asked for, and none is BAD_USER_INPUT", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  const { member } = await world.subscribe(
    `subscription ($types: [RoomEventType!]!) { roomEvents(room: "lobby", types: $types) { type } }`,
    ann,
    { types: ["LEFT", "UPDATED"] },
  );

  const { codes } = await world.subscribe(`subscription { roomEvents(room: "lobby", types: []) { type } }`, ann);
  await world.run(`mutation { joinRoom(room: "lobby") { success } leaveRoom(room: "lobby") { success } }`, ann);

  assertEquals(codes, ["BAD_USER_INPUT"]);
  assertEquals(member.results.map(({ data }) => data.roomEvents.type), ["LEFT"]);
});

Deno.test("a room's members come in pages, in the order of joining", async () => {
  await using world = await openSchemaWorld();
  const users = ["zoë", "ann", "ben", "cid", "dan"];
  for (const user of users) {
    await world.run(`mutation { joinRoom(room: "lobby") { success } }`, world.connect(user));
    world.clock.advance(1);
  }
  const ann = world.connect("ann");
  const query = `query ($after: Cursor) { room(room: "lobby") { id memberCount members(first: 2, after: $after) {
    totalCount nodes { userId } edges { cursor node { userId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`;

  const found: string[] = [];
  const flags: boolean[][] = [];
  let after: string | null = null;
  do {
    const { data }: { data?: { room: { memberCount: number; members: MembersPage } } } = await world.run(query, ann, {
      after,
    });
    const { nodes, edges, pageInfo, totalCount } = data!.room.members;
    assertEquals([data!.room.memberCount, totalCount], [5, 5]);
    assertEquals(edges.map(({ node }) => node), nodes);
    assertEquals([pageInfo.startCursor, pageInfo.endCursor], [edges[0]!.cursor, edges.at(-1)!.cursor]);
    found.push(...nodes.map(({ userId }) => userId));
    flags.push([pageInfo.hasPreviousPage, pageInfo.hasNextPage]);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);

  assertEquals(found, users);
  assertEquals(flags, [[false, true], [true, true], [true, false]]);
});

Deno.test("a page of members outside 1 to 300, or after what is no cursor of it, is BAD_USER_INPUT", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  for (const room of ["lobby", "other"]) await world.run(`mutation { joinRoom(room: "${room}") { success } }`, ann);
  const other = await world.run(`{ room(room: "other") { head members { edges { cursor } } } }`, ann);
  const { head, members: { edges: [{ cursor }] } } = other.data.room;
  const encode = (value: unknown) => btoa(JSON.stringify(value));

  const cursors = [
    "",
    "x",
    "%%%",
    "bm8=",
    head,
    cursor,
    "A".repeat(3_000),
    encode([]),
    encode([2, "", 1, "ann"]),
    encode({ 0: 1 }),
    encode(null),
    encode([1, cursor, "1", 2]),
  ];
  for (
    const args of [
      "first: 0",
      "first: -1",
      "first: 301",
      ...cursors.map((one) => `after: ${JSON.stringify(one)}`),
    ]
  ) {
    const { codes } = await world.run(`{ room(room: "lobby") { members(${args}) { totalCount } } }`, ann);
    assertEquals(codes, ["BAD_USER_INPUT"], args);
  }
  for (const first of [1, 300]) {
    const { codes } = await world.run(`{ room(room: "lobby") { members(first: ${first}) { totalCount } } }`, ann);
    assertEquals(codes, []);
  }
});

Deno.test("viewer says who asks, what they may do and where they are", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann", ["join", "read"]);
  for (const room of ["zoo", "lobby"]) await world.run(`mutation { joinRoom(room: "${room}") { success } }`, ann);

  const { data } = await world.run(
    `{ viewer { id userId sessionId scopes tokenExpiresAt rooms { id memberCount } } }`,
    ann,
  );

  assertEquals(data.viewer, {
    id: "ann",
    userId: "ann",
    sessionId: "session-of-ann",
    scopes: ["read", "join"],
    tokenExpiresAt: null,
    rooms: [{ id: "lobby", memberCount: 1 }, { id: "zoo", memberCount: 1 }],
  });
});

Deno.test("viewer says when the token ends", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  const principal = { ...ann.principal, expiresAtMs: 1_700_000_000_000 };

  const { data } = await world.run(`{ viewer { tokenExpiresAt } }`, { ...ann, principal });

  assertEquals(data.viewer.tokenExpiresAt, "2023-11-14T22:13:20.000Z");
});

Deno.test("G10 a room the viewer may not read is refused, and not shown through the viewer either", async () => {
  await using world = await openSchemaWorld({
    authorize: (_principal, action) => !(action.kind === "read" && action.room === "secret"),
  });
  const ann = world.connect("ann");
  for (const room of ["secret", "lobby"]) await world.run(`mutation { joinRoom(room: "${room}") { success } }`, ann);

  const { data } = await world.run(`{ viewer { rooms { id members { totalCount } } } }`, ann);
  const answers = [
    await world.run(`{ room(room: "secret") { id } }`, ann),
    await world.subscribe(`subscription { messages(room: "secret") { id } }`, ann),
    await world.subscribe(`subscription { roomEvents(room: "secret") { type } }`, ann),
  ];

  assertEquals(data.viewer.rooms, [{ id: "lobby", members: { totalCount: 1 } }]);
  assertEquals(answers.map(({ codes }) => codes), [["FORBIDDEN"], ["FORBIDDEN"], ["FORBIDDEN"]]);
});

Deno.test("server is for the scope admin", async () => {
  await using world = await openSchemaWorld();
  const query = `{ server { node version engine startedAt connections subscriptions rooms } }`;

  const { data } = await world.run(query, world.connect("ann"));
  const { codes } = await world.run(query, world.connect("ben", ["read", "send", "join", "broadcast", "moderate"]));

  assertEquals(data.server, {
    node: "one",
    version: "0.0.0",
    engine: "memory",
    startedAt: "2023-11-14T22:13:20.123Z",
    connections: 1,
    subscriptions: 2,
    rooms: 3,
  });
  assertEquals(codes, ["FORBIDDEN"]);
});

Deno.test("a room's head is a cursor of its messages, and moves with them", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  const head = async () => (await world.run(`{ room(room: "lobby") { head } }`, ann)).data.room.head;

  const before = await head();
  const sent = await world.run(`mutation { sendMessage(room: "lobby", content: "") { message { cursor } } }`, ann);

  assertNotEquals(before, await head());
  assertEquals(sent.data.sendMessage.message.cursor, await head());
});

Deno.test("G12 nothing below the live fields looks at the viewer: two viewers share one execution", async () => {
  await using world = await openSchemaWorld();
  const [ann, ben] = [world.connect("ann"), world.connect("ben")];
  const documents = [
    `subscription { messages(room: "lobby") { ${MESSAGE} } }`,
    `subscription { roomEvents(room: "lobby") { type ... on UserJoined { member { id userId joinedAt sessionCount state } } } }`,
  ];
  const subscribed = [];
  for (const document of documents) {
    for (const viewer of [ann, ben]) subscribed.push(await world.subscribe(document, viewer));
  }

  await world.run(
    `mutation { sendMessage(room: "lobby", content: "x") { success } joinRoom(room: "lobby") { success } }`,
    ann,
  );

  assertEquals(subscribed.at(-1)!.selections, 2);
  const texts = subscribed.map(({ member }) => member.texts);
  assertEquals([texts[0], texts[2]], [texts[1], texts[3]]);
  assertEquals(texts.map(({ length }) => length), [1, 1, 1, 1]);
});

Deno.test("two schemas in one process do not know each other", async () => {
  await using one = await openSchemaWorld({ schema: createSchema() });
  await using two = await openSchemaWorld({ schema: createSchema() });
  const { member } = await two.subscribe(`subscription { messages(room: "lobby") { id } }`, two.connect("ann"));

  await one.run(`mutation { sendMessage(room: "lobby", content: "x") { success } }`, one.connect("ann"));

  assertEquals(member.results, []);
});

interface MembersPage {
  readonly totalCount: number;
  readonly nodes: readonly { readonly userId: string }[];
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly userId: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string;
    readonly endCursor: string;
  };
}
