import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Each sentence of docs/presence.md, by its beginning, and the test that shows it. */
const TESTS: Readonly<Record<string, string>> = {
  "The session that joined holds it": "G7 a session that loses its connection and comes back with its id",
  "A subscription `messages(join: true)` joins": "messages(join: true) joins, and completing it leaves at once",
  "Once there is a membership, every live subscription": "G7 a subscription of another tab holds the membership",
  "A join over HTTP without the session of an open connection": "a join over HTTP lasts a minute, and joining again",
  "Joining again over HTTP": "a join over HTTP lasts a minute, and joining again",
  "Sending and subscribing need no membership": "sending and subscribing need no membership",
  "When the last hold has ended because": "G7 two sessions of a user are one member; the last one to go makes",
  "Who comes back within those 10 seconds": "G7 a session that loses its connection and comes back with its id",
  "A connection that has fallen silent": "a socket silent for two pings is ended, and its user leaves with TIMEOUT",
  "A minute over HTTP that has run out": "a join over HTTP lasts a minute, and joining again",
  "`leaveRoom` ends the session's holds": "leaveRoom over HTTP with a session ends that session's holds",
  "After `leaveRoom` the session's subscriptions stay": "after leaveRoom the session's subscriptions stay",
  "Completing `messages(join: true)` leaves at once": "messages(join: true) joins, and completing it leaves at once",
  "`leaveRoom` over HTTP without `x-session-id`": "leaveRoom over HTTP without a session ends all the user holds",
  "A tab that is only waited for": "another session's leave is a grace while one waits to be continued",
  "A session is one run of a client": "two users with one session id have two sessions",
  "A client that names its `sessionId`": "G7 a session that loses its connection and comes back with its id",
  "A client that names none is known": "G7 a client without a session id is known by its operation",
  "A guest without a cookie": "a guest without a cookie that comes back with its operation is the guest it was",
  "A session that is continued within two minutes": "G7 a client without a session id is known by its operation",
  "`excludeSelf` spares the session that sent": "excludeSelf spares a session over its reconnect, live and on replay",
  "`setPresence` sets what the others see": "a state needs a membership, and is bounded",
  "The last state that was set counts": "a state is the member's, the latest wins, and it goes with the session",
  "A state goes with the session that set it": "a state is the member's, the latest wins, and it goes with the session",
  "Only members have a state": "a state needs a membership, and is bounded",
  "`UPDATED` is not kept": "a changed state is not kept: who comes back gets none of the old ones",
  "With `types: [SNAPSHOT, JOINED, LEFT, UPDATED]`": "a snapshot comes first, and once more after a resume",
  "After a reconnect what was missed comes first": "a snapshot comes first, and once more after a resume",
  "After a loss a snapshot comes too": "a resume that has lost something brings a snapshot that says so",
  "A snapshot lists at most 1,000 members": "a snapshot lists at most 1,000 members, and counts them all",
  "`removeFromRoom` ends a user's membership": "a removed user leaves with REMOVED, its subscriptions on the room end",
  "A removed user may come back": "G7 who has been removed may come back, and is a new member",
  "`disconnectUser` closes every connection": "disconnectUser closes the user's sockets with 4401 and its streams",
  "A session joins at most 100 rooms": "joining more rooms than a session may hold is ROOM_LIMIT, and changes nothing",
};

Deno.test("docs/presence.md: each sentence names what a test shows", async () => {
  const page = await Deno.readTextFile(new URL("docs/presence.md", ROOT));
  const sentences = Array.from(
    page.matchAll(/^- ([^]*?)(?=\n- |\n\n|\n$)/gm),
    ([, text]) => text!.replace(/\s+/g, " "),
  );
  const beginnings = Object.keys(TESTS);

  assertEquals(sentences.filter((text) => !beginnings.some((beginning) => text.startsWith(beginning))), []);
  assertEquals(beginnings.filter((beginning) => !sentences.some((text) => text.startsWith(beginning))), []);
});

Deno.test("docs/presence.md: each test it rests on is there", async () => {
  const folders = ["tests/core", "tests/transports", "tests/e2e"];
  const files = folders.flatMap((folder) =>
    Array.from(Deno.readDirSync(new URL(folder, ROOT)), ({ name }) => `${folder}/${name}`)
  );
  const texts = await Promise.all(
    files.filter((file) => file.endsWith("_test.ts")).map((file) => Deno.readTextFile(new URL(file, ROOT))),
  );

  for (const name of Object.values(TESTS)) assert(texts.some((text) => text.includes(`test("${name}`)), name);
});
