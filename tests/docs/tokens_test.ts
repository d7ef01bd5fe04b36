import { assertEquals } from "@std/assert";
import { createApollo } from "../../docs/tokens/apollo.ts";
import { createGraphqlWs, refresh } from "../../docs/tokens/graphql_ws.ts";
import { createUrql } from "../../docs/tokens/urql.ts";
import { startLocalServer } from "../support/local_server.ts";
import { codeBlocks, readSnippets } from "../support/snippets.ts";
import { testedApollo, type TestedClient, testedGraphqlWs, testedUrql } from "../support/tested_clients.ts";
import { LEEWAY_S, TokenWorld } from "../support/token_world.ts";
import { SECRET } from "../support/tokens.ts";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const PAGE = Deno.readTextFileSync(new URL("docs/tokens.md", ROOT));
const SNIPPETS = new Map(
  Array.from(Deno.readDirSync(new URL("docs/tokens/", ROOT)), ({ name }) => [...readSnippets(`docs/tokens/${name}`)])
    .flat(),
);

Deno.test("docs/tokens.md shows every region of docs/tokens as it is, and no other code", () => {
  const written = Array.from(SNIPPETS.values(), ({ path, code }) => [path.endsWith(".sh") ? "sh" : "ts", code]);
  assertEquals(codeBlocks(PAGE).map(String).sort(), written.map(String).sort());
});

const CLIENTS: Readonly<Record<string, (url: string, getToken: () => Promise<string>) => TestedClient>> = {
  "graphql-ws": (url, getToken) => testedGraphqlWs(createGraphqlWs(url, getToken)),
  "Apollo Client": (url, getToken) => testedApollo(createApollo(url, getToken)),
  urql: (url, getToken) => testedUrql(createUrql(url, getToken)),
};

for (const [name, create] of Object.entries(CLIENTS)) {
  Deno.test(`docs/tokens.md: ${name} goes on with another token when its own has expired, and misses nothing`, async () => {
    await using world = await TokenWorld.start();
    using client = create(world.server.url, () => world.token("ann"));
    const received = client.follow("lobby");
    await world.subscribed(1);
    await client.send({ room: "lobby", content: "before" });
    assertEquals((await received.nextField()).content, "before");

    world.clock.advance((60 + LEEWAY_S) * 1_000);
    await client.send({ room: "lobby", content: "after" });

    const { senderId, content } = await received.nextField();
    assertEquals([senderId, content], ["ann", "after"]);
  });
}

Deno.test("docs/tokens.md: refresh() lets a connection go on, and tells until when", async () => {
  await using world = await TokenWorld.start();
  let asked = 0;
  const client = createGraphqlWs(world.server.url, () => {
    asked++;
    return world.token("ann");
  });
  const closed: unknown[] = [];
  client.on("closed", (event) => closed.push(event));
  const events = client.iterate<{ messages: { content: string } }>({
    query: `subscription { messages(room: "lobby", last: 1) { content } }`,
  });
  const send = async (content: string) =>
    await world.post(`mutation { sendMessage(room: "lobby", content: "${content}") { success } }`, {
      authorization: await world.token("bob"),
    });
  await send("before");
  await events.next();

  const endsAt = await refresh(client, await world.token("ann", 600));
  world.clock.advance((60 + LEEWAY_S) * 1_000);
  const next = events.next();
  await send("after");

  assertEquals((await next).value?.data?.messages.content, "after");
  assertEquals(endsAt.getTime(), world.clock.now() - (60 + LEEWAY_S) * 1_000 + 600_000);
  assertEquals([asked, closed.length], [1, 0]);
  await client.dispose();
});

Deno.test("docs/tokens.md: the token that `deno task token` prints is who it says, with its scope", async () => {
  await using server = await startLocalServer({ auth: { jwt: { secret: SECRET } } });
  const { code, stdout } = await runToken(["ann", "--scope", "broadcast"], { JWT_SECRET: SECRET });

  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${stdout.trim()}` },
    body: JSON.stringify({ query: "{ viewer { userId scopes } }" }),
  });

  const { data } = await response.json();
  assertEquals([code, data.viewer], [0, { userId: "ann", scopes: ["read", "send", "join", "broadcast"] }]);
});

const MISTAKES: readonly (readonly [args: string[], secret: string, message: string])[] = [
  [["ann"], "", "Cannot sign without JWT_SECRET: set the same one as for the server"],
  [["ann"], "short", "Cannot use JWT_SECRET: must be at least 32 random bytes"],
  [[], SECRET, "Cannot sign for nobody or for several: name one user"],
  [["ann", "--scpe", "admin"], SECRET, 'Cannot use "--scpe": no such flag'],
  [["ann", "--scope", "broadcst"], SECRET, 'Cannot use "broadcst" as --scope: must be of broadcast, moderate, admin'],
  [["ann", "--rooms", "lobby"], SECRET, 'Cannot use "lobby" as --rooms: must be JSON'],
  [["ann", "--minutes", "0"], SECRET, 'Cannot use "0" as --minutes: must be a number from 1'],
  [["guest-1"], SECRET, 'Cannot sign this: unexpected "sub" claim'],
];

Deno.test("`deno task token` makes no token that is not what was asked for: it says why, and exits with 2", async () => {
  for (const [args, secret, message] of MISTAKES) {
    const { code, stdout, stderr } = await runToken(args, { JWT_SECRET: secret });
    assertEquals([code, stdout, stderr.startsWith(message)], [2, "", true], stderr);
  }
});

Deno.test("`deno task token --rooms` says where its user may do what", async () => {
  await using server = await startLocalServer({ auth: { jwt: { secret: SECRET } } });
  const { stdout } = await runToken(["rob", "--rooms", '{"news":["read"]}'], { JWT_SECRET: SECRET });
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: stdout.trim() },
    body: JSON.stringify({ query: `mutation { sendMessage(room: "news", content: "x") { success } }` }),
  });

  assertEquals((await response.json()).errors[0].message, 'Cannot send to room "news": not allowed');
});

async function runToken(args: readonly string[], env: Record<string, string>) {
  const [, ...task] = config.tasks.token.command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...task, ...args], cwd: ROOT, env })
    .output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
