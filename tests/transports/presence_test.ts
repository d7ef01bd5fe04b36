import { assertEquals, assertMatch } from "@std/assert";
import { SEND } from "../support/documents.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { RawClient } from "../support/raw_client.ts";

const EVENTS = `subscription { roomEvents(room: "lobby", types: [JOINED, LEFT, UPDATED]) {
  type userId ... on UserLeft { reason } ... on MemberUpdated { member { state } }
} }`;
const SNAPSHOTS = `subscription { roomEvents(room: "lobby", types: [SNAPSHOT, JOINED, LEFT, UPDATED]) {
  type userId ... on RoomSnapshot { memberCount recovered members { userId sessionCount state } }
} }`;
const JOIN =
  `mutation ($state: JSON) { joinRoom(room: "lobby", state: $state) { expiresAt member { sessionCount state } } }`;
const LEAVE = `mutation { leaveRoom(room: "lobby") { success } }`;
const MEMBERS = `{ room(room: "lobby") { members { nodes { userId sessionCount state } } } }`;
const MESSAGES = `subscription { messages(room: "lobby") { content } }`;
const JOINING = `subscription { messages(room: "lobby", join: true) { content } }`;

/** A server whose time stands still, and what a test does with it. */
async function open() {
  const clock = new ManualClock();
  const server = await startLocalServer({ server: { drainMs: 20_000, pingMs: 3_600_000 } }, clock);
  return {
    clock,
    server,
    connect: (userId: string, init: Record<string, unknown> = {}) =>
      RawClient.ready(server.webSocketUrl, { userId, ...init }),
    /** What the members are, each as user and sessions. */
    async members() {
      const { data } = await server.query(MEMBERS);
      return data.room.members.nodes.map((
        { userId, sessionCount }: { userId: string; sessionCount: number },
      ) => [userId, sessionCount]);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Runs one operation and gives its data. */
async function run(client: RawClient, query: string, variables: Record<string, unknown> = {}) {
  const id = `run ${Math.random()}`;
  client.subscribe(id, query, variables);
  return await answerTo(client, id);
}

async function answerTo(client: RawClient, id: string) {
  for (;;) {
    const message = await client.next();
    if (message.id !== id || message.type === "complete") continue;
    const { data, errors } = message.payload;
    return message.type === "error" ? message.payload : errors ?? data;
  }
}

/** The next event of a room, in short. */
async function nextEvent(client: RawClient) {
  for (;;) {
    const { type, payload } = await client.next();
    if (type !== "next" || payload.data.roomEvents === undefined) continue;
    const { type: kind, userId, reason, member, memberCount, recovered, members } = payload.data.roomEvents;
    if (kind === "SNAPSHOT") {
      return [kind, memberCount, recovered, members.map((one: { userId: string }) => one.userId)];
    }
    return [kind, userId, ...(reason === undefined ? [] : [reason]), ...(member === undefined ? [] : [member.state])];
  }
}

/** The payload of the next Ping. */
async function nextPing(client: RawClient) {
  for (;;) {
    const { type, payload } = await client.next();
    if (type === "ping") return payload;
  }
}

/** Resolves once everything the client sent before has been dealt with. */
async function fence(client: RawClient): Promise<void> {
  await run(client, "{ viewer { userId } }");
}

async function watch(world: { connect: (userId: string) => Promise<RawClient> }, query = EVENTS): Promise<RawClient> {
  const watcher = await world.connect("watcher");
  watcher.subscribe("events", query);
  await fence(watcher);
  return watcher;
}

/** What is left of a closed connection on the server once this has been answered: nothing. */
const HTTP_BOB = { "x-user-id": "bob" };

async function post(server: LocalServer, query: string, headers: Record<string, string>, variables = {}) {
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return await response.json();
}

Deno.test("G7 a session that loses its connection and comes back with its id is still a member, and nobody heard of it", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  const ann = await world.connect("ann", { sessionId: "tab" });
  await run(ann, JOIN);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  await ann[Symbol.asyncDispose]();
  await fence(watcher);
  assertEquals(await world.members(), [["ann", 0]]);

  world.clock.advance(9_000);
  await using back = await world.connect("ann", { sessionId: "tab" });
  await fence(back);
  world.clock.advance(60_000);

  assertEquals(await world.members(), [["ann", 1]]);
  await run(back, LEAVE);
  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "LEFT"]);
});

Deno.test("G7 a client without a session id is known by its operation: it goes on in its session, a member again", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  const ann = await world.connect("ann");
  const id = crypto.randomUUID();
  ann.subscribe(id, MESSAGES);
  const { sessionId } = (await run(ann, "{ viewer { sessionId } }")).viewer;
  await run(ann, JOIN);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  await ann[Symbol.asyncDispose]();
  await fence(watcher);

  // Longer than the grace: the user has left, and is a member again once the client is back.
  world.clock.advance(30_000);
  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "DISCONNECTED"]);
  await using back = await world.connect("ann");
  back.subscribe(id, MESSAGES);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  const { type, payload } = await back.next();

  assertEquals([type, payload.sessionId, payload.userId], ["ping", sessionId, "ann"]);
  assertEquals((await run(back, "{ viewer { sessionId } }")).viewer.sessionId, sessionId);
  assertEquals(await world.members(), [["ann", 1]]);
});

Deno.test("a guest without a cookie that comes back with its operation is the guest it was", async () => {
  await using world = await open();
  const id = crypto.randomUUID();
  const guest = await RawClient.ready(world.server.webSocketUrl);
  guest.subscribe(id, MESSAGES);
  const { userId, sessionId } = (await run(guest, "{ viewer { userId sessionId } }")).viewer;
  await guest[Symbol.asyncDispose]();

  await using back = await RawClient.ready(world.server.webSocketUrl);
  back.subscribe(id, MESSAGES);

  assertMatch(userId, /^guest-/);
  assertEquals((await run(back, "{ viewer { userId sessionId } }")).viewer, { userId, sessionId });
});

Deno.test("excludeSelf spares a session over its reconnect, live and on replay", async () => {
  await using world = await open();
  const id = crypto.randomUUID();
  const ann = await world.connect("ann");
  ann.subscribe(id, MESSAGES);
  const { sessionId } = (await run(ann, "{ viewer { sessionId } }")).viewer;
  await ann[Symbol.asyncDispose]();
  const headers = { "x-user-id": "ann", "x-session-id": sessionId };
  await post(world.server, SEND, headers, { room: "lobby", content: "missed by its sender", excludeSelf: true });
  await post(world.server, SEND, headers, { room: "lobby", content: "missed by all" });

  await using back = await world.connect("ann");
  back.subscribe(id, MESSAGES);
  const replayed = await answerTo(back, id);
  await run(back, `mutation { broadcast(room: "lobby", content: "live, not to me", excludeSelf: true) { success } }`);
  await post(world.server, SEND, {}, { room: "lobby", content: "live, to all" });

  assertEquals(replayed.messages.content, "missed by all");
  assertEquals((await answerTo(back, id)).messages.content, "live, to all");
});

Deno.test("G7 two sessions of a user are one member; the last one to go makes the leave", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using tab = await world.connect("ann");
  const other = await world.connect("ann");
  for (const client of [tab, other]) await run(client, JOIN);
  assertEquals([await nextEvent(watcher), await world.members()], [["JOINED", "ann"], [["ann", 2]]]);

  assertEquals(await run(tab, LEAVE), { leaveRoom: { success: true } });
  assertEquals(await world.members(), [["ann", 1]]);
  await other[Symbol.asyncDispose]();
  await fence(watcher);
  world.clock.advance(10_000);

  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "DISCONNECTED"]);
});

Deno.test("G7 a subscription of another tab holds the membership that the closed one began", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using follower = await world.connect("ann");
  follower.subscribe("follows", MESSAGES);
  await fence(follower);
  const joiner = await world.connect("ann");
  await run(joiner, JOIN);
  assertEquals([await nextEvent(watcher), await world.members()], [["JOINED", "ann"], [["ann", 2]]]);

  await joiner[Symbol.asyncDispose]();
  await fence(watcher);
  world.clock.advance(60_000);
  assertEquals(await world.members(), [["ann", 1]]);
  follower.send({ id: "follows", type: "complete" });
  await fence(follower);
  assertEquals(await world.members(), [["ann", 0]]);
  world.clock.advance(10_000);

  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "DISCONNECTED"]);
});

Deno.test("after leaveRoom the session's subscriptions stay, and hold nothing until it joins again", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using ann = await world.connect("ann");
  ann.subscribe("follows", MESSAGES);
  await run(ann, JOIN);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);

  await run(ann, LEAVE);
  assertEquals([await nextEvent(watcher), await world.members()], [["LEFT", "ann", "LEFT"], []]);
  await post(world.server, SEND, {}, { room: "lobby", content: "still heard" });
  assertEquals((await answerTo(ann, "follows")).messages.content, "still heard");
  assertEquals(await run(ann, LEAVE), { leaveRoom: { success: false } });

  await run(ann, JOIN);
  assertEquals([await nextEvent(watcher), await world.members()], [["JOINED", "ann"], [["ann", 1]]]);
});

Deno.test("messages(join: true) joins, and completing it leaves at once", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using ann = await world.connect("ann");

  ann.subscribe("joins", JOINING);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  assertEquals(await world.members(), [["ann", 1]]);
  ann.send({ id: "joins", type: "complete" });

  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "LEFT"]);
});

Deno.test("G7 messages(join: true) over a broken connection is a leave only after the grace", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  const id = crypto.randomUUID();
  const ann = await world.connect("ann");
  ann.subscribe(id, JOINING);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  await ann[Symbol.asyncDispose]();
  await fence(watcher);
  world.clock.advance(9_000);

  const back = await world.connect("ann");
  back.subscribe(id, JOINING);
  await fence(back);
  world.clock.advance(60_000);
  assertEquals(await world.members(), [["ann", 1]]);
  await back[Symbol.asyncDispose]();
  await fence(watcher);
  world.clock.advance(10_000);

  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "DISCONNECTED"]);
});

Deno.test("messages(join: true) without a room, or without the right to join, is refused", async () => {
  const authorize = ({ userId }: { userId: string }, { kind }: { kind: string }) => userId !== "eve" || kind !== "join";
  await using server = await startLocalServer({ auth: { authorize } });
  await using eve = await RawClient.ready(server.webSocketUrl, { userId: "eve" });

  eve.subscribe("a", JOINING);
  eve.subscribe("b", "subscription { messages(join: true) { content } }");

  const codes = [await eve.next(), await eve.next()].map(({ id, payload }) => [id, payload[0].extensions.code]);
  assertEquals(codes.sort(), [["a", "FORBIDDEN"], ["b", "BAD_USER_INPUT"]]);
});

Deno.test("a join over HTTP lasts a minute, and joining again begins it anew", async () => {
  await using world = await open();
  await using watcher = await watch(world);

  const { data: first } = await post(world.server, JOIN, HTTP_BOB);
  assertEquals(await nextEvent(watcher), ["JOINED", "bob"]);
  assertEquals(first.joinRoom.expiresAt, new Date(world.clock.now() + 60_000).toISOString());
  assertEquals(await world.members(), [["bob", 0]]);
  world.clock.advance(50_000);
  await post(world.server, JOIN, HTTP_BOB);
  world.clock.advance(50_000);
  assertEquals(await world.members(), [["bob", 0]]);
  world.clock.advance(11_000);

  assertEquals([await nextEvent(watcher), await world.members()], [["LEFT", "bob", "TIMEOUT"], []]);
});

Deno.test("a join over HTTP is held by whatever the user subscribes to, before and after", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using before = await world.connect("bob");
  before.subscribe("follows", MESSAGES);
  await fence(before);
  const { data } = await post(world.server, JOIN, HTTP_BOB);
  assertEquals(await nextEvent(watcher), ["JOINED", "bob"]);
  await using after = await world.connect("bob");
  after.subscribe("follows", MESSAGES);
  await fence(after);

  world.clock.advance(120_000);

  assertEquals([data.joinRoom.expiresAt, await world.members()], [null, [["bob", 2]]]);
});

Deno.test("leaveRoom over HTTP without a session ends all the user holds, the lease included", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using tab = await world.connect("bob");
  await run(tab, JOIN);
  await post(world.server, JOIN, HTTP_BOB);
  assertEquals(await nextEvent(watcher), ["JOINED", "bob"]);

  const { data } = await post(world.server, LEAVE, HTTP_BOB);

  assertEquals(data, { leaveRoom: { success: true } });
  assertEquals([await nextEvent(watcher), await world.members()], [["LEFT", "bob", "LEFT"], []]);
});

Deno.test("leaveRoom over HTTP with a session ends that session's holds, and no other's", async () => {
  await using world = await open();
  await using tab = await world.connect("bob", { sessionId: "tab" });
  await run(tab, JOIN);
  await post(world.server, JOIN, { ...HTTP_BOB, "x-session-id": "script" });

  await post(world.server, LEAVE, { ...HTTP_BOB, "x-session-id": "script" });
  assertEquals(await world.members(), [["bob", 1]]);
  await post(world.server, LEAVE, { ...HTTP_BOB, "x-session-id": "tab" });

  assertEquals(await world.members(), []);
});

Deno.test("a state is the member's, the latest wins, and it goes with the session that set it", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  const tab = await world.connect("ann");
  await using other = await world.connect("ann");
  await run(tab, JOIN, { state: { typing: false } });
  await run(other, JOIN);
  const set = `mutation ($state: JSON!) { setPresence(room: "lobby", state: $state) { member { state } } }`;

  const { setPresence } = await run(tab, set, { state: { typing: true } });
  assertEquals(setPresence, { member: { state: { typing: true } } });
  assertEquals([await nextEvent(watcher), await nextEvent(watcher)], [
    ["JOINED", "ann"],
    ["UPDATED", "ann", { typing: true }],
  ]);
  await tab[Symbol.asyncDispose]();
  await fence(watcher);
  world.clock.advance(10_000);

  assertEquals(await nextEvent(watcher), ["UPDATED", "ann", null]);
  assertEquals(await world.members(), [["ann", 1]]);
});

Deno.test("a state needs a membership, and is bounded", async () => {
  await using world = await open();
  await using ann = await world.connect("ann");
  const set = `mutation ($state: JSON!) { setPresence(room: "lobby", state: $state) { success } }`;

  const refused = await run(ann, set, { state: 1 });
  await run(ann, JOIN);
  const tooLarge = await run(ann, set, { state: "é".repeat(600) });
  const tooLargeAtJoin = await run(ann, JOIN, { state: "é".repeat(600) });

  const codes = [refused, tooLarge, tooLargeAtJoin].map((errors) => errors[0].extensions.code);
  assertEquals(codes, ["NOT_FOUND", "PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE"]);
});

Deno.test("a snapshot comes first, and once more after a resume, behind what was missed", async () => {
  await using world = await open();
  await using ann = await world.connect("ann");
  await run(ann, JOIN);
  const id = crypto.randomUUID();
  await using watcher = await world.connect("watcher");
  watcher.subscribe(id, SNAPSHOTS);
  assertEquals(await nextEvent(watcher), ["SNAPSHOT", 1, true, ["ann"]]);
  await post(world.server, JOIN, HTTP_BOB);
  assertEquals(await nextEvent(watcher), ["JOINED", "bob"]);
  world.clock.advance(1_000);
  watcher.send({ type: "pong", payload: await nextPing(watcher) });
  await fence(watcher);
  await watcher[Symbol.asyncDispose]();
  await run(ann, LEAVE);

  await using back = await world.connect("watcher");
  back.subscribe(id, SNAPSHOTS);

  const events = [await nextEvent(back), await nextEvent(back)];
  assertEquals(events, [["LEFT", "ann"], ["SNAPSHOT", 1, true, ["bob"]]]);
  await run(ann, JOIN);
  assertEquals(await nextEvent(back), ["JOINED", "ann"]);
});

Deno.test("a removed user leaves with REMOVED, its subscriptions on the room end with an error, and its socket lives", async () => {
  await using world = await open();
  await using watcher = await watch(world);
  await using ann = await world.connect("ann");
  ann.subscribe("here", MESSAGES);
  ann.subscribe("elsewhere", `subscription { messages(room: "attic") { content } }`);
  await run(ann, JOIN);
  assertEquals(await nextEvent(watcher), ["JOINED", "ann"]);
  const remove = `mutation { removeFromRoom(room: "lobby", userId: "ann", reason: "spam") { success room } }`;

  const { data } = await world.server.query(remove);

  assertEquals(data.removeFromRoom, { success: true, room: "lobby" });
  assertEquals(await nextEvent(watcher), ["LEFT", "ann", "REMOVED"]);
  const [{ message, extensions }] = await answerTo(ann, "here");
  assertEquals([message, extensions.code], [`Removed from room "lobby": spam`, "FORBIDDEN"]);
  await post(world.server, SEND, {}, { room: "attic", content: "still there" });
  assertEquals((await answerTo(ann, "elsewhere")).messages.content, "still there");
  assertEquals((await world.server.query(remove)).data.removeFromRoom.success, false);
});

Deno.test("disconnectUser closes the user's sockets with 4401 and its streams with an error, and nobody else's", async () => {
  await using world = await open();
  await using ann = await world.connect("ann");
  await using bob = await world.connect("bob");
  const url = `${world.server.url}?${new URLSearchParams({ query: MESSAGES })}`;
  const stream = await fetch(url, { headers: { accept: "text/event-stream", "x-user-id": "ann" } });
  const disconnect = `mutation { disconnectUser(userId: "ann", reason: "banned") { success } }`;

  const { data } = await world.server.query(disconnect);

  assertEquals(data.disconnectUser.success, true);
  assertEquals(await ann.closed, { code: 4401, reason: "banned" });
  const text = await stream.text();
  assertMatch(text, /"code":"UNAUTHENTICATED"/);
  assertMatch(text, /event: complete/);
  await fence(bob);
  assertEquals((await world.server.query(disconnect)).data.disconnectUser.success, false);
});

Deno.test("rooms are listed by name, with their pages", async () => {
  await using world = await open();
  for (const room of ["beta", "alpha", "gamma"]) await post(world.server, SEND, {}, { room, content: "here" });
  await post(world.server, JOIN, HTTP_BOB);
  const list = `query ($first: Int! = 2, $after: Cursor, $prefix: String) {
    rooms(first: $first, after: $after, prefix: $prefix) { nodes { id } pageInfo { hasNextPage endCursor } }
  }`;

  const { data: { rooms: first } } = await world.server.query(list);
  const { data: { rooms: second } } = await world.server.query(list, { after: first.pageInfo.endCursor });
  const { data: { rooms: some } } = await world.server.query(list, { prefix: "ga" });
  const { errors } = await world.server.query(list, { after: "nonsense" });

  const names = (page: { nodes: { id: string }[] }) => page.nodes.map(({ id }) => id);
  assertEquals([names(first), names(second), names(some)], [["alpha", "beta"], ["gamma", "lobby"], ["gamma"]]);
  assertEquals([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage], [true, false]);
  assertEquals(errors[0].extensions.code, "BAD_USER_INPUT");
});

Deno.test("a resume that has lost something brings a snapshot that says so", async () => {
  await using world = await open();
  await post(world.server, JOIN, HTTP_BOB);
  const id = crypto.randomUUID();
  await using back = await world.connect("watcher", { resume: { [id]: "of another life" } });

  back.subscribe(id, SNAPSHOTS);

  assertEquals(await nextEvent(back), ["SNAPSHOT", 1, false, ["bob"]]);
});

Deno.test("a snapshot lists at most 1,000 members, and counts them all", async () => {
  await using world = await open();
  for (let user = 0; user < 1_001; user += 91) {
    await Promise.all(
      Array.from({ length: 91 }, (_, index) => post(world.server, JOIN, { "x-user-id": `user-${user + index}` })),
    );
  }
  await using watcher = await world.connect("watcher");

  watcher.subscribe("snapshot", SNAPSHOTS);
  const { memberCount, members } = (await answerTo(watcher, "snapshot")).roomEvents;

  assertEquals([memberCount, members.length], [1_001, 1_000]);
});

Deno.test("a changed state is not kept: who comes back gets none of the old ones", async () => {
  await using world = await open();
  await using ann = await world.connect("ann");
  await run(ann, JOIN);
  const id = crypto.randomUUID();
  const watcher = await watch(world);
  watcher.subscribe(id, EVENTS);
  await fence(watcher);
  await watcher[Symbol.asyncDispose]();
  await run(ann, `mutation { setPresence(room: "lobby", state: 1) { success } }`);

  await using back = await world.connect("watcher");
  back.subscribe(id, EVENTS);
  await fence(back);
  await run(ann, LEAVE);

  assertEquals(await nextEvent(back), ["LEFT", "ann", "LEFT"]);
});

Deno.test("sending and subscribing need no membership", async () => {
  await using world = await open();
  await using ann = await world.connect("ann");
  ann.subscribe("follows", MESSAGES);
  await fence(ann);

  await post(world.server, SEND, HTTP_BOB, { room: "lobby", content: "from outside" });

  assertEquals((await answerTo(ann, "follows")).messages.content, "from outside");
  assertEquals(await world.members(), []);
});
