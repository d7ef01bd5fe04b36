import { assert, assertEquals } from "@std/assert";
import { createTeamServer } from "../../examples/authorize.ts";
import { parseRoomRights } from "../../src/auth/room_rights.ts";
import { OPERATIONS, ROOMLESS } from "../support/authorization_matrix.ts";
import { RawClient } from "../support/raw_client.ts";
import { untilCountsAre } from "../support/resume_world.ts";
import { readSnippets } from "../support/snippets.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/authorization.md", import.meta.url));

/** The cells of the table under this heading of its first column, without the code marks where asked. */
function rowsOf(heading: string): string[][] {
  const lines = PAGE.split("\n");
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith("|"));
  return lines.slice(first + 2, end).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

const plain = (cell: string): string => cell.replaceAll("`", "");

/** What operation each of the tried ones is, as the table names it. */
const NAMES: readonly (readonly [pattern: RegExp, operation: string])[] = [
  [/joinRoom|sendMessage|setPresence|leaveRoom|broadcast|removeFromRoom|disconnectUser|roomEvents/, ""],
  [/^messages that join/, "messages(join: true)"],
  [/^messages/, "messages(room)"],
  [/^(?:a room|history)/, "room"],
  [/^one's own rooms/, "viewer"],
  [/^all rooms/, "rooms"],
  [/^the server/, "server"],
];

Deno.test("docs/authorization.md: the table says of each operation what the matrix finds that it needs", () => {
  const needed = new Map<string, string[]>();
  let above = "";
  for (const [operations = "", right = ""] of rowsOf("operation")) {
    above = operations === "" ? above : operations;
    for (const [, name] of above.matchAll(/`([a-zA-Z]+(?:\([^)]*\))?)`/g)) {
      needed.set(name!, [...needed.get(name!) ?? [], ...plain(right) === "none" ? [] : [plain(right)]]);
    }
  }

  for (const { name, needs } of [...OPERATIONS, ...ROOMLESS]) {
    const [pattern, operation] = NAMES.find(([one]) => one.test(name))!;
    const documented = needed.get(operation === "" ? pattern.exec(name)![0] : operation);
    assertEquals(documented, [...needs], name);
  }
});

Deno.test("docs/authorization.md: each claim allows what the table says", () => {
  const rows = rowsOf("claim");
  for (const [claim = "", room = "", allowed = ""] of rows) {
    const rights = parseRoomRights(JSON.parse(plain(claim)));
    const given = (["read", "send", "join"] as const).filter((right) => rights.allows(plain(room), right));
    assertEquals(given.join(", "), plain(allowed), `${claim} in ${room}`);
  }
  assert(rows.length > 5);
});

Deno.test("docs/authorization.md: the example is the file's, and does what it says", async () => {
  assert(PAGE.includes(readSnippets("examples/authorize.ts").get("authorize")!.code.trimEnd()));
  const { server, leaveTeam } = createTeamServer({ server: { port: 0 } });
  const { url } = await server.listen();
  await using ann = await RawClient.ready(url.replace("http", "ws"), { userId: "ann" });
  const subscribe = (id: string, room: string) =>
    ann.subscribe(id, `subscription { messages(room: "${room}") { event } }`);

  subscribe("other", "team-blue");
  const refused = await ann.next();
  subscribe("own", "team-red");
  await untilCountsAre(url, { subscriptions: 1 });
  await server.broadcastToRoom("team-red", "hello");
  const event = await ann.next();
  await leaveTeam("team-red", "ann");
  await server.broadcastToRoom("team-red", "secret");
  const ended = await ann.next();

  assertEquals([refused.id, refused.payload[0].extensions.code], ["other", "FORBIDDEN"]);
  assertEquals([event.id, event.payload.data.messages.event], ["own", "hello"]);
  assertEquals([ended.id, ended.payload[0].extensions.code], ["own", "FORBIDDEN"]);
  await ann.close();
  await server.stop();
});
