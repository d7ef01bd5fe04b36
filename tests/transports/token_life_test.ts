import { assertEquals, assertMatch } from "@std/assert";
import type { RawClient } from "../support/raw_client.ts";
import { LEEWAY_S, TokenWorld } from "../support/token_world.ts";

const LOBBY = `subscription { messages(room: "lobby") { content } }`;

function refreshWith(token: string): string {
  return `mutation { refreshToken(token: "${token}") { success expiresAt } }`;
}

/** The next event, whatever the client is told of its place meanwhile. */
async function nextEvent(client: RawClient) {
  for (;;) {
    const { type, payload } = await client.next();
    if (type === "next") return payload;
  }
}

/** Runs one operation to its end, and answers with what came back. */
async function ask(client: RawClient, id: string, query: string) {
  client.subscribe(id, query);
  const answer = await client.next();
  if (answer.type === "next") await client.next();
  return answer.payload;
}

Deno.test("a socket is closed with 4403 exactly when its token's leeway is over, and hears nothing behind it", async () => {
  await using world = await TokenWorld.start();
  await using ann = await world.connect({ token: await world.token("ann", 60) });
  const service = { authorization: await world.token("service", 3_600) };
  ann.subscribe("m", LOBBY);
  const send = (content: string) =>
    world.post(`mutation { sendMessage(room: "lobby", content: "${content}") { success } }`, service);
  // Answered behind the subscription, on the same socket.
  await ask(ann, "q", "{ viewer { userId } }");

  world.clock.advance((60 + LEEWAY_S) * 1_000 - 1);
  await send("in time");
  assertEquals((await nextEvent(ann)).data.messages.content, "in time");
  world.clock.advance(1);
  await send("too late");

  assertEquals(await ann.closed, { code: 4403, reason: "token expired" });
});

for (const [format, accept] of [["SSE", "text/event-stream"], ["multipart", "multipart/mixed;subscriptionSpec=1.0"]]) {
  Deno.test(`a stream says that its token has expired and ends, exactly when the leeway is over: ${format}`, async () => {
    await using world = await TokenWorld.start();
    const service = { authorization: await world.token("service", 3_600) };
    await using stream = await world.stream(await world.token("ann", 60), LOBBY, { accept: accept! });
    const send = (content: string) =>
      world.post(`mutation { sendMessage(room: "lobby", content: "${content}") { success } }`, service);

    world.clock.advance((60 + LEEWAY_S) * 1_000 - 1);
    await send("in time");
    await stream.read(/in time/);
    world.clock.advance(1);
    await send("too late");
    const rest = await stream.rest();

    assertMatch(rest, /"message":"token expired".*"code":"UNAUTHENTICATED"/);
    assertEquals(rest.includes("too late"), false);
  });
}

Deno.test("refreshToken lets a socket go on until the new token's end, with the new token's rights", async () => {
  await using world = await TokenWorld.start();
  await using ann = await world.connect({ token: await world.token("ann", 60) });

  const { data } = await ask(ann, "r", refreshWith(await world.token("ann", 600, { scope: "broadcast" })));
  assertEquals(data.refreshToken, { success: true, expiresAt: new Date(world.clock.now() + 600_000).toISOString() });
  world.clock.advance((60 + LEEWAY_S) * 1_000);
  const { data: { viewer } } = await ask(ann, "v", "{ viewer { scopes tokenExpiresAt } }");
  assertEquals(viewer.scopes, ["read", "send", "join", "broadcast"]);
  world.clock.advance((600 - 60) * 1_000);

  assertEquals(await ann.closed, { code: 4403, reason: "token expired" });
});

Deno.test("refreshToken ends what the new token does not allow, and the socket lives", async () => {
  await using world = await TokenWorld.start();
  await using ann = await world.connect({ token: await world.token("ann") });
  ann.subscribe("m", LOBBY);
  ann.subscribe("n", `subscription { messages(room: "other") { content } }`);
  await ask(ann, "q", "{ viewer { userId } }");

  ann.subscribe("r", refreshWith(await world.token("ann", 60, { rooms: { other: ["read"] } })));
  const ended = await ann.next();
  assertEquals([ended.type, ended.id, ended.payload[0].extensions.code], ["error", "m", "FORBIDDEN"]);
  assertEquals((await ann.next()).payload.data.refreshToken.success, true);
  await ann.next();
  const service = { authorization: await world.token("service") };
  await world.post(`mutation { sendMessage(room: "other", content: "still") { success } }`, service);

  assertEquals((await nextEvent(ann)).data.messages.content, "still");
});

Deno.test("a token's rooms are where its user may read, send and join", async () => {
  await using world = await TokenWorld.start();
  const rooms = { "team-*": ["read", "join"], "team-a": ["send"] };
  const ann = { authorization: await world.token("ann", 60, { rooms }) };
  const codeOf = async (query: string) => (await world.post(query, ann)).errors?.[0].extensions.code;
  const send = (room: string) => codeOf(`mutation { sendMessage(room: "${room}", content: "x") { success } }`);
  const join = (room: string) => codeOf(`mutation { joinRoom(room: "${room}") { success } }`);
  const read = (room: string) => codeOf(`{ room(room: "${room}") { memberCount } }`);

  assertEquals([await send("team-a"), await join("team-a"), await read("team-a")], [undefined, undefined, undefined]);
  assertEquals([await send("team-b"), await join("team-b"), await read("team-b")], ["FORBIDDEN", undefined, undefined]);
  assertEquals([await send("lobby"), await join("lobby"), await read("lobby")], Array(3).fill("FORBIDDEN"));
});

Deno.test("refreshToken gives nothing to another connection of the session that came with a weaker token", async () => {
  await using world = await TokenWorld.start();
  const strong = await world.token("ann", 60, { scope: "admin" });
  const sessionId = "tab";
  await using weak = await world.connect({ token: await world.token("ann", 60, { rooms: {} }), sessionId });
  await using own = await world.connect({ token: strong, sessionId });

  const next = await world.token("ann", 600, { scope: "admin" });
  const headers = { authorization: strong, "x-session-id": sessionId };
  assertEquals((await world.post(refreshWith(next), headers)).data.refreshToken.success, true);
  const { data: { viewer } } = await ask(weak, "v", "{ viewer { scopes } }");
  assertEquals(viewer.scopes, ["read", "send", "join"]);
  world.clock.advance((60 + LEEWAY_S) * 1_000);

  assertEquals(await weak.closed, { code: 4403, reason: "token expired" });
  assertEquals((await ask(own, "v", "{ viewer { scopes } }")).data.viewer.scopes.includes("admin"), true);
});

Deno.test("refreshToken over HTTP lets the stream of the session it names go on", async () => {
  await using world = await TokenWorld.start();
  const session = { "x-session-id": "tab" };
  const token = await world.token("ann", 60);
  await using stream = await world.stream(token, LOBBY, session);

  const refreshed = await world.post(refreshWith(await world.token("ann", 600)), { authorization: token, ...session });
  assertEquals(refreshed.data.refreshToken.success, true);
  world.clock.advance((60 + LEEWAY_S) * 1_000);
  const late = { authorization: await world.token("ann", 60) };
  await world.post(`mutation { sendMessage(room: "lobby", content: "still here") { success } }`, late);

  await stream.read(/still here/);
});

Deno.test("refreshToken refuses what is no token of the same user, and the socket lives until its own token's end", async () => {
  await using world = await TokenWorld.start();
  await using ann = await world.connect({ token: await world.token("ann", 60) });
  const refusals: unknown[] = [];

  for (const token of [await world.token("bob", 600), "nonsense", await world.token("ann", -LEEWAY_S)]) {
    const { errors: [{ message, extensions }] } = await ask(ann, `r${refusals.length}`, refreshWith(token));
    refusals.push([extensions.code, message]);
  }

  assertEquals(refusals, [
    ["UNAUTHENTICATED", "Cannot refresh with this token: must be one of the same user"],
    ["UNAUTHENTICATED", "Cannot use this token: must be a valid one for this server"],
    ["UNAUTHENTICATED", "token expired"],
  ]);
  assertEquals((await ask(ann, "v", "{ viewer { userId } }")).data.viewer.userId, "ann");
  world.clock.advance((60 + LEEWAY_S) * 1_000);
  assertEquals((await ann.closed).code, 4403);
});

Deno.test("refreshToken over HTTP without an open connection is BAD_USER_INPUT", async () => {
  await using world = await TokenWorld.start();
  const token = await world.token("ann");

  const { errors: [error] } = await world.post(refreshWith(token), { authorization: token });

  assertEquals(error.extensions.code, "BAD_USER_INPUT");
  assertMatch(error.message, /x-session-id/);
});

Deno.test("without a token a WebSocket is acknowledged as nobody, and may do nothing", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});

  for (const query of ["{ viewer { userId } }", "{ nothing }", "{", LOBBY]) {
    client.subscribe("x", query);
    const { type, payload: [error] } = await client.next();
    assertEquals([type, error.extensions.code, error.message], [
      "error",
      "UNAUTHENTICATED",
      "Cannot do this without a token (Authorization: Bearer …)",
    ]);
  }
});

Deno.test("a WebSocket that is nobody's for 10 s is closed with 4401", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});

  client.subscribe("x", "{ viewer { userId } }");
  await client.next();
  world.clock.advance(10_000);

  assertEquals(await client.closed, { code: 4401, reason: "Cannot stay without a token" });
});

Deno.test("a token that comes with an operation counts for it, and the next one without is refused", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});
  const token = await world.token("ann");

  for (const authorization of [token, `Bearer ${token}`]) {
    subscribeWith(client, { authorization }, "{ viewer { userId } }");
    assertEquals((await client.next()).payload.data.viewer.userId, "ann");
    await client.next();
  }
  client.subscribe("x", "{ viewer { userId } }");
  assertEquals((await client.next()).payload[0].extensions.code, "UNAUTHENTICATED");
  world.clock.advance(10_000);
  subscribeWith(client, { Authorization: token }, "{ viewer { userId } }");

  assertEquals((await client.next()).payload.data.viewer.userId, "ann");
});

Deno.test("a socket whose operations bring tokens is closed when the last of them ends", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});

  for (const seconds of [60, 120]) {
    subscribeWith(client, { authorization: await world.token("ann", seconds) }, "{ viewer { userId } }");
    await client.next();
    await client.next();
  }
  world.clock.advance((60 + LEEWAY_S) * 1_000);
  subscribeWith(client, { authorization: await world.token("ann", 30) }, "{ viewer { userId } }");
  assertEquals((await client.next()).payload.data.viewer.userId, "ann");
  await client.next();
  world.clock.advance((30 + LEEWAY_S) * 1_000);

  assertEquals(await client.closed, { code: 4403, reason: "token expired" });
});

Deno.test("behind refreshToken an operation's token is looked at again, also the one that came last", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});
  const own = { authorization: await world.token("ann", 60) };
  const refreshed = await world.token("ann", 600);
  const run = async (query: string) => {
    subscribeWith(client, own, query);
    const { type, payload } = await client.next();
    if (type === "next") await client.next();
    return payload;
  };
  await run("{ viewer { userId } }");
  assertEquals((await run(refreshWith(refreshed))).data.refreshToken.success, true);

  world.clock.advance((60 + LEEWAY_S) * 1_000);
  const [error] = await run("{ viewer { userId } }");

  assertEquals([error.extensions.code, error.message], ["UNAUTHENTICATED", "token expired"]);
});

Deno.test("a socket speaks for one user: an operation with another's token is UNAUTHENTICATED", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({ token: await world.token("ann") });

  subscribeWith(client, { authorization: await world.token("bob") }, "{ viewer { userId } }");
  const { type, payload: [error] } = await client.next();
  assertEquals([type, error.extensions.code], ["error", "UNAUTHENTICATED"]);
  client.subscribe("x", "{ viewer { userId } }");

  assertEquals((await client.next()).payload.data.viewer.userId, "ann");
});

Deno.test("operations of one chunk that bring the first token share one session", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});
  const headers = { authorization: await world.token("ann") };

  for (const id of ["a", "b", "c"]) subscribeWith(client, headers, "{ viewer { sessionId } }", id);
  const sessions = new Set<string>();
  for (let left = 6; left > 0; left--) {
    const { type, payload } = await client.next();
    if (type === "next") sessions.add(payload.data.viewer.sessionId);
  }

  assertEquals(sessions.size, 1);
  assertEquals(world.server.telemetry.events.filter((event) => event === "connection.opened").length, 1);
});

Deno.test("an operation that is completed while its token is looked at does not run, and its id is free", async () => {
  await using world = await TokenWorld.start();
  await using client = await world.connect({});
  const headers = { authorization: await world.token("ann") };

  subscribeWith(client, headers, `mutation { sendMessage(room: "lobby", content: "never") { success } }`, "a");
  client.send({ id: "a", type: "complete" });
  subscribeWith(client, headers, `{ room(room: "lobby") { messages { nodes { content } } } }`, "a");

  assertEquals((await client.next()).payload.data.room.messages.nodes, []);
});

Deno.test("without a token HTTP answers 401 with its scheme, before it says anything of the document", async () => {
  await using world = await TokenWorld.start();

  for (const query of ["{ viewer { userId } }", "{ nothing }", "{", LOBBY]) {
    const { status, headers, errors } = await world.post(query);
    assertEquals([status, headers.get("www-authenticate"), errors[0].extensions.code], [
      401,
      "Bearer",
      "UNAUTHENTICATED",
    ]);
  }
});

Deno.test("a claimed user id counts for nothing where tokens are asked for", async () => {
  await using world = await TokenWorld.start();
  const token = await world.token("ann");
  await using client = await world.connect({ token, userId: "eve" });

  const overHttp = await world.post("{ viewer { userId } }", { authorization: token, "x-user-id": "eve" });

  assertEquals(overHttp.data.viewer.userId, "ann");
  assertEquals((await ask(client, "v", "{ viewer { userId } }")).data.viewer.userId, "ann");
});

function subscribeWith(client: RawClient, headers: Record<string, string>, query: string, id = "op"): void {
  client.send({ id, type: "subscribe", payload: { query, extensions: { headers } } });
}
