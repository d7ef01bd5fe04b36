import { assert, assertEquals } from "@std/assert";
import { WebSocket } from "ws";
import { requestRaw } from "../support/raw_http.ts";
import { ServerProcess } from "../support/server_process.ts";
import { encodePart, forgeToken, inAnHour, SECRET, signToken } from "../support/tokens.ts";

const VIEWER = "{ viewer { userId } }";
const BODY = JSON.stringify({ query: VIEWER });
const POST = { "content-type": "application/json", accept: "application/json" };
const STREAM = encodeURIComponent(`subscription { messages(room: "lobby") { content } }`);

/** Everything that peers were told, as text. */
const told: string[] = [];

Deno.test("tokens: no part of one is in the log, in an error, in a close reason or in a page, whatever carried it", async () => {
  const tokens = await listTokens();
  const variables = { JWT_SECRET: SECRET };
  await using server = await ServerProcess.startWith({ variables, keepsOutput: true }, "--log-level", "debug");

  for (const [kind, token] of tokens) {
    const isGood = kind === "good" || kind === "another good";
    const answers = [
      await ask(server, "/graphql", { authorization: `Bearer ${token}` }),
      await ask(server, "/graphql", { authorization: token }),
      await ask(server, "/graphql", { cookie: `token=${token}`, origin: `http://127.0.0.1:${server.port}` }),
      await ask(server, `/graphql?token=${token}`),
      await connect(server, { token }),
      await connect(server, { authorization: `Bearer ${token}` }),
      await connect(server, {}, { path: `?token=${token}` }),
      await connect(server, {}, { headers: { cookie: `token=${token}`, origin: `http://127.0.0.1:${server.port}` } }),
      await connect(server, {}, { extensions: { headers: { authorization: `Bearer ${token}` } } }),
    ];
    // The road is really taken: each of them says whose token it was, or refuses it.
    for (const [at, text] of answers.entries()) assertEquals(text.includes('"ann"'), isGood, `${kind}, ${at}: ${text}`);
    await connect(server, { token: tokens.get("good") }, { query: refresh(token) });
    // Where it does not belong.
    await ask(server, "/graphql", { "x-user-id": token, "x-session-id": token });
    await ask(server, `/${token}`);
    await get(server, `/graphql?token=${token}&query=${STREAM}`, { accept: "text/event-stream" }, isGood);
    await get(server, `/graphql?token=${token}&query={`, {});
  }
  // Pages are the same for everybody, and the largest has 9 MB: one token is enough.
  const token = tokens.get("good")!;
  for (const page of ["/", "/graphql", "/console.js", "/nothing"]) {
    await get(server, `${page}?token=${token}`, { accept: "text/html", cookie: `token=${token}` });
  }

  server.kill("SIGTERM");
  const log = await server.output();
  assert(log.includes("auth.token_refused") && log.includes("connection.opened"), log);
  for (const [kind, token] of tokens) {
    for (const part of partsOf(token)) {
      const lines = log.split("\n").filter((line) => line.includes(part));
      assertEquals(lines, [], `the log has a part of the token that is ${kind}`);
      for (const text of told) {
        assertEquals(
          text.includes(part),
          false,
          `a peer was told a part of the token that is ${kind}: ${text.slice(0, 500)}`,
        );
      }
    }
  }
  assertEquals([log, ...told].some((text) => text.includes(SECRET)), false);
});

async function listTokens(): Promise<ReadonlyMap<string, string>> {
  // Something of each part that nothing else could say.
  const header = { kid: "c4n4ry-kid-5b1f9c" };
  const claims = { sub: "ann", exp: inAnHour(), jti: "c4n4ry-jti-70c2e4" };
  return new Map([
    ["good", await signToken(claims, { header })],
    ["another good", await signToken({ ...claims, jti: "c4n4ry-jti-aa01b3" }, { header })],
    ["expired", await signToken({ ...claims, exp: 1_000_000_000 }, { header })],
    ["signed by somebody else", await signToken(claims, { header, secret: "another secret of thirty-two bytes" })],
    ["of a wrong type", await signToken({ ...claims, sub: 5 }, { header })],
    ["a guest's", await signToken({ ...claims, sub: "guest-c4n4ry-91d2" }, { header })],
    ["not signed", forgeToken({ alg: "none", ...header }, claims)],
    ["no JSON", `${encodePart("canary header")}.${encodePart("canary claims")}.${encodePart("canary signature")}`],
    ["no token", "c4n4ry-5f0d7e9a-no-token-at-all"],
    ["too long", `c4n4ry-3c77e0${"Q7".repeat(4_500)}`],
  ]);
}

/** What must be found nowhere: each part, what it says, and a piece of it for what cuts it short. */
function partsOf(token: string): readonly string[] {
  const parts = token.split(".").filter((part) => part.length >= 12);
  // Every HS256 header of these begins alike, so a piece is taken from its end.
  return ["c4n4ry-", ...parts, ...parts.map((part) => part.slice(-12))];
}

function refresh(token: string): string {
  return `mutation { refreshToken(token: ${JSON.stringify(token)}) { success } }`;
}

async function ask(server: ServerProcess, path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    headers: { ...POST, ...headers },
    body: BODY,
  });
  return keep(`${JSON.stringify([...response.headers])} ${await response.text()}`);
}

async function get(server: ServerProcess, path: string, headers: Record<string, string>, isEndless = false) {
  if (!isEndless) {
    const { headers: got, bytes } = await requestRaw(server.port, path, { headers });
    return keep(`${JSON.stringify(got)} ${new TextDecoder().decode(bytes)}`);
  }
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
  assertEquals(response.status, 200);
  await response.body!.cancel();
}

interface Asked {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly extensions?: unknown;
  readonly query?: string;
}

/** Connects, runs one operation, and answers with all that came back, the close included. */
function connect(server: ServerProcess, payload: unknown, asked: Asked = {}): Promise<string> {
  const { path = "", headers = {}, extensions, query = VIEWER } = asked;
  const socket = new WebSocket(server.webSocketUrl + path, "graphql-transport-ws", { headers });
  const heard: string[] = [];
  return new Promise((resolve, reject) => {
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload })));
    socket.on("message", (data: unknown) => {
      heard.push(String(data));
      const { type } = JSON.parse(String(data));
      if (type === "connection_ack") {
        socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query, extensions } }));
      }
      if (type === "next" || type === "error") socket.close();
    });
    socket.on("error", reject);
    socket.on("close", (code: number, reason: unknown) => resolve(keep([...heard, code, String(reason)].join(" "))));
  });
}

function keep(text: string): string {
  told.push(text);
  return text;
}
