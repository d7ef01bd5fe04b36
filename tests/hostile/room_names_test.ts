import { assertEquals, assertGreater } from "@std/assert";
import { LISTED_NAMES, referenceName } from "../support/hostile_names.ts";
import { type LocalServer, startLocalServer } from "../support/local_server.ts";
import { checkNamePairs } from "../support/name_pairs.ts";
import { RawClient } from "../support/raw_client.ts";

const ALL_MUTATIONS = `mutation ($room: ID!, $content: String!, $state: JSON!) {
  joinRoom(room: $room) { room }
  setPresence(room: $room, state: $state) { room member { state } }
  sendMessage(room: $room, content: $content) { room message { room content } }
  broadcast(room: $room, event: "deployed") { room }
  removeFromRoom(room: $room, userId: "nobody") { room }
}`;
const LEAVE = `mutation ($room: ID!) { leaveRoom(room: $room) { room } }`;
const ROOM = `query ($room: ID!) {
  room(room: $room) { id members { nodes { userId } } messages(last: 2) { nodes { room content event } } }
  viewer { rooms { id } }
}`;
const MESSAGES = `subscription ($room: ID!) { messages(room: $room) { room content } }`;
const EVENTS = `subscription ($room: ID!) { roomEvents(room: $room) { type room } }`;

Deno.test(`room names: ${LISTED_NAMES.length} listed ones are each the room they are, or none, in every operation`, async () => {
  assertGreater(LISTED_NAMES.length, 200);
  const before = prototypes();
  await using server = await startLocalServer();
  await using client = await ready(server);

  for (const { why, text, name } of LISTED_NAMES) {
    assertEquals(referenceName(text), name, why);
    if (name === undefined) await refusedEverywhere(client, text, why);
    else await oneRoomEverywhere(client, text, { name, why });
  }

  assertEquals(prototypes(), before);
});

Deno.test("room names: of 5,000 generated pairs two name the same room exactly when they are equal after NFC", async () => {
  await using server = await startLocalServer();

  assertEquals(await checkNamePairs(server, { pairs: 5_000, seed: 1 }), 5_000);
});

async function oneRoomEverywhere(client: Asking, text: string, { name, why }: { name: string; why: string }) {
  // Read under another spelling than it is written under.
  const twin = name.normalize("NFD");
  const messages = client.follow(MESSAGES, { room: twin });
  const events = client.follow(EVENTS, { room: twin });

  await client.fence();

  // A state has at most 1 KiB.
  const short = Array.from(text).slice(0, 64).join("");
  const state = { [short]: short };
  const changed = await client.ask(ALL_MUTATIONS, { room: text, content: why, state });
  assertEquals(changed.data, {
    joinRoom: { room: name },
    setPresence: { room: name, member: { state } },
    sendMessage: { room: name, message: { room: name, content: why } },
    broadcast: { room: name },
    removeFromRoom: { room: name },
  }, why);
  const { room, viewer } = (await client.ask(ROOM, { room: twin })).data;
  assertEquals([room.id, viewer.rooms], [name, [{ id: name }]], why);
  assertEquals(room.members.nodes, [{ userId: "ann" }], why);
  assertEquals(room.messages.nodes, [
    { room: name, content: why, event: null },
    { room: name, content: "", event: "deployed" },
  ], why);
  assertEquals((await client.ask(LEAVE, { room: twin })).data, { leaveRoom: { room: name } }, why);

  assertEquals((await messages()).data, { messages: { room: name, content: why } }, why);
  assertEquals((await messages()).data, { messages: { room: name, content: "" } }, why);
  assertEquals((await events()).data, { roomEvents: { type: "JOINED", room: name } }, why);
  client.forget();
}

async function refusedEverywhere(client: Asking, text: string, why: string) {
  const changed = await client.ask(ALL_MUTATIONS, { room: text, content: why, state: {} });
  const fields = ["joinRoom", "setPresence", "sendMessage", "broadcast", "removeFromRoom"];
  assertEquals(changed.data, Object.fromEntries(fields.map((field) => [field, null])), why);
  assertEquals(codesOf(changed), fields.map((field) => [field, "BAD_USER_INPUT"]), why);
  assertEquals(codesOf(await client.ask(LEAVE, { room: text })), [["leaveRoom", "BAD_USER_INPUT"]], why);
  assertEquals(codesOf(await client.ask(ROOM, { room: text })), [["room", "BAD_USER_INPUT"]], why);
  for (const [query, field] of [[MESSAGES, "messages"], [EVENTS, "roomEvents"]] as const) {
    const refused = await client.ask(query, { room: text });
    // What a subscription would keep for as long as it runs is bounded before it is looked at.
    if (text.length > 16_000) assertEquals(refused.errors?.[0]?.extensions.code, "PAYLOAD_TOO_LARGE", why);
    else assertEquals(codesOf(refused), [[field, "BAD_USER_INPUT"]], why);
  }
}

function codesOf({ errors }: Answer): readonly (readonly [string, string])[] {
  return (errors ?? []).map(({ path, extensions }) => [String(path[0]), extensions.code]);
}

// deno-lint-ignore no-explicit-any -- tests look into whatever came back
type Answer = { readonly data?: any; readonly errors?: { path: unknown[]; extensions: { code: string } }[] };
type Asking = Awaited<ReturnType<typeof ready>>;

/** One socket for all: what is refused does not end it. */
async function ready(server: LocalServer) {
  const client = await RawClient.ready(server.webSocketUrl, { userId: "ann" });
  const answers = new Map<string, Answer[]>();
  let ids = 0;
  const next = async (id: string): Promise<Answer> => {
    for (;;) {
      const known = answers.get(id)?.shift();
      if (known !== undefined) return known;
      const message = await client.next();
      if (message.type === "ping") client.send({ type: "pong", payload: message.payload });
      const answer = message.type === "error" ? { errors: message.payload } : message.payload;
      if (message.type === "next" || message.type === "error") answers.getOrInsert(message.id, []).push(answer);
    }
  };
  let followed: string[] = [];
  return {
    async ask(query: string, variables: Record<string, unknown>): Promise<Answer> {
      const id = `ask ${++ids}`;
      client.subscribe(id, query, variables);
      return await next(id);
    },
    /** Resolves when what was sent before has been dealt with. */
    async fence(): Promise<void> {
      for (let asked = 0; asked < 2; asked++) await this.ask("{ viewer { userId } }", {});
    },
    /** Subscribes; gives the way to the next event. */
    follow(query: string, variables: Record<string, unknown>): () => Promise<Answer> {
      const id = `follow ${++ids}`;
      followed.push(id);
      client.subscribe(id, query, variables);
      return () => next(id);
    },
    /** Ends what is followed. */
    forget(): void {
      for (const id of followed) client.send({ id, type: "complete" });
      followed = [];
      answers.clear();
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** What everybody's objects and lists inherit. */
function prototypes(): unknown {
  return [Object, Array, Map, Function].map(({ prototype }) => Object.getOwnPropertyNames(prototype).sort());
}
