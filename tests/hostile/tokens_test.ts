import { assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { WebSocket } from "ws";
import { ManualClock } from "../support/manual_clock.ts";
import { startLocalServer } from "../support/local_server.ts";
import { listTokens, type TokenCase, type Verdict } from "../support/token_table.ts";
import { createIssuer, SECRET } from "../support/tokens.ts";

const iss = "https://id.example";
const aud = "rooms";
const REFUSAL = "Cannot use this token: must be a valid one for this server";

/** Where a token may be, as it is sent. */
const CARRIERS = ["connection_init or bare header", "Authorization: Bearer", "cookie", "query"] as const;
type Carrier = typeof CARRIERS[number];

/** Serves both kinds of server at one moment of time, and knows every token. */
async function createWorld() {
  const clock = new ManualClock();
  const names = ["RS256", "ES256", "EdDSA"] as const;
  const [issuer, stranger] = await Promise.all([createIssuer(...names), createIssuer(...names)]);
  const serve = (keys: { secret: string } | { publicKeys: string }) =>
    startLocalServer(
      { auth: { jwt: { ...keys, issuer: iss, audience: aud } }, limits: { refusedTokensPerMinute: 0 } },
      clock,
    );
  const servers = {
    secret: await serve({ secret: SECRET }),
    publicKeys: await serve({ publicKeys: issuer.keySet }),
  };
  return {
    servers,
    cases: await listTokens({ issuer, stranger, nowMs: clock.now(), iss, aud }),
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(servers).map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

type World = Awaited<ReturnType<typeof createWorld>>;

function urlOf({ servers }: World, { server, token }: TokenCase, carrier: Carrier): URL {
  const url = new URL(servers[server].url);
  if (carrier === "query") url.searchParams.set("token", token);
  return url;
}

function headersOf(world: World, { server, token }: TokenCase, carrier: Carrier): Record<string, string> {
  // A cookie counts only for who proves to come from a page of the server.
  if (carrier === "cookie") return { cookie: `token=${token}`, origin: new URL(world.servers[server].url).origin };
  if (carrier === "query") return {};
  return { authorization: carrier === "Authorization: Bearer" ? `Bearer ${token}` : token };
}

async function overWebSocket(world: World, one: TokenCase, carrier: Carrier): Promise<unknown> {
  const isInit = carrier === CARRIERS[0];
  const url = urlOf(world, one, carrier);
  url.protocol = "ws:";
  const socket = new WebSocket(url, "graphql-transport-ws", { headers: isInit ? {} : headersOf(world, one, carrier) });
  const closed = new Promise<unknown>((resolve) =>
    socket.once("close", (code, reason) => resolve([code, String(reason)]))
  );
  const payload = isInit ? { token: one.token } : {};
  socket.once("open", () => socket.send(JSON.stringify({ type: "connection_init", payload })));
  const acknowledged = new Promise<unknown>((resolve) => {
    socket.once("message", (data: unknown) => {
      resolve(JSON.parse(String(data)).payload?.userId);
      socket.close(1000);
    });
  });
  const answer = await Promise.race([acknowledged, closed]);
  await closed;
  return answer;
}

const WEB_SOCKET: Readonly<Record<Verdict, unknown>> = {
  good: "ann",
  refused: [4401, REFUSAL],
  expired: [4403, "token expired"],
};

async function overHttp(world: World, one: TokenCase, carrier: Carrier): Promise<unknown> {
  const response = await fetch(urlOf(world, one, carrier), {
    method: "POST",
    headers: { "content-type": "application/json", ...headersOf(world, one, carrier) },
    body: JSON.stringify({ query: "{ viewer { userId } }" }),
  });
  const { data, errors } = await response.json();
  if (response.status === 200) return data.viewer.userId;
  return [response.status, errors[0].extensions.code, errors[0].message, response.headers.get("www-authenticate")];
}

async function overEventStream(world: World, one: TokenCase, carrier: Carrier): Promise<unknown> {
  const url = urlOf(world, one, carrier);
  url.searchParams.set("query", `subscription { messages(room: "lobby") { content } }`);
  const abort = new AbortController();
  const headers = { accept: "text/event-stream", ...headersOf(world, one, carrier) };
  const response = await fetch(url, { headers, signal: abort.signal });
  if (response.status === 200) {
    const type = response.headers.get("content-type");
    await response.body!.cancel();
    return type;
  }
  const { errors } = await response.json();
  return [response.status, errors[0].extensions.code, errors[0].message, response.headers.get("www-authenticate")];
}

const HTTP: Readonly<Record<Verdict, unknown>> = {
  good: "ann",
  refused: [401, "UNAUTHENTICATED", REFUSAL, "Bearer"],
  expired: [401, "UNAUTHENTICATED", "token expired", "Bearer"],
};

const TRANSPORTS = [
  { name: "WebSocket", ask: overWebSocket, expected: WEB_SOCKET },
  { name: "HTTP", ask: overHttp, expected: HTTP },
  { name: "SSE", ask: overEventStream, expected: { ...HTTP, good: "text/event-stream; charset=utf-8" } },
];

Deno.test("tokens: each of the table gets its verdict, whatever carries it, on every transport", async (t) => {
  await using world = await createWorld();
  assertGreaterOrEqual(world.cases.length * CARRIERS.length * TRANSPORTS.length, 720);

  for (const { name, ask, expected } of TRANSPORTS) {
    for (const carrier of CARRIERS) {
      await t.step(`${name}, ${carrier}`, async () => {
        for (const one of world.cases) {
          assertEquals(await ask(world, one, carrier), expected[one.verdict], `${one.server}: ${one.name}`);
        }
      });
    }
  }

  await t.step("none of them leaves a part of itself in the log", () => {
    const lines = Object.values(world.servers).map(({ telemetry }) => JSON.stringify(telemetry.records)).join();
    assertStringIncludes(lines, "auth.token_refused");
    for (const { name, token } of world.cases) {
      for (const part of token.split(".").filter((part) => part.length >= 10)) {
        assertEquals(lines.includes(part), false, name);
      }
    }
  });
});
