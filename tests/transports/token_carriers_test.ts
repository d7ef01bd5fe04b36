import { assertEquals } from "@std/assert";
import { bearerToken, type CarriedToken, readToken } from "../../src/transports/token_carriers.ts";
import { RawClient } from "../support/raw_client.ts";
import { TokenWorld } from "../support/token_world.ts";

type Request = Parameters<typeof readToken>[0];

function request(url: string, headers: Record<string, string> = {}): Request {
  return { url, headers } as Request;
}

const CARRIED: readonly (readonly [name: string, Request, CarriedToken | undefined])[] = [
  ["nothing", request("/graphql"), undefined],
  ["Bearer", request("/graphql", { authorization: "Bearer a.b.c" }), { text: "a.b.c", carrier: "header" }],
  ["bearer, and more spaces", request("/", { authorization: " bearer  a.b.c " }), { text: "a.b.c", carrier: "header" }],
  ["no scheme", request("/graphql", { authorization: "a.b.c" }), { text: "a.b.c", carrier: "header" }],
  ["another scheme", request("/graphql", { authorization: "Basic YTpi" }), undefined],
  ["a scheme alone", request("/graphql", { authorization: "Bearer " }), undefined],
  ["a cookie", request("/graphql", { cookie: "a=1; token=a.b.c" }), { text: "a.b.c", carrier: "cookie" }],
  ["an empty cookie", request("/graphql", { cookie: "token=" }), undefined],
  ["another cookie", request("/graphql", { cookie: "mytoken=a.b.c" }), undefined],
  ["the query", request("/graphql?a=1&token=a.b.c"), { text: "a.b.c", carrier: "query" }],
  ["an empty query", request("/graphql?token="), undefined],
  [
    "a proxy's credentials and a cookie",
    request("/graphql", { authorization: "Basic YTpi", cookie: "token=c" }),
    { text: "c", carrier: "cookie" },
  ],
];

for (const [name, asked, expected] of CARRIED) {
  Deno.test(`readToken() reads ${name}`, () => {
    assertEquals(readToken(asked, "token"), expected);
  });
}

Deno.test("bearerToken() takes nothing but a text", () => {
  for (const value of [undefined, null, 7, {}, ["a.b.c"], ""]) assertEquals(bearerToken(value), undefined);
});

/** The carriers, the one that counts before all others first. */
const PRECEDENCE = ["connection_init", "header", "cookie", "query"] as const;
type Carrier = typeof PRECEDENCE[number];

/** Connects with two tokens, and tells whose counted, or with which code it was sent away. */
async function connectWith(world: TokenWorld, tokens: ReadonlyMap<Carrier, string>): Promise<unknown> {
  const url = new URL(world.server.webSocketUrl);
  const query = tokens.get("query");
  if (query !== undefined) url.searchParams.set("token", query);
  const headers: Record<string, string> = { origin: new URL(world.server.url).origin };
  if (tokens.has("header")) headers.authorization = `Bearer ${tokens.get("header")}`;
  if (tokens.has("cookie")) headers.cookie = `token=${tokens.get("cookie")}`;
  await using client = await RawClient.connect(url.href, { headers });
  const token = tokens.get("connection_init");
  client.send({ type: "connection_init", payload: token === undefined ? {} : { token } });
  return await Promise.race([
    client.next().then(({ payload }) => payload.userId),
    client.closed.then(({ code }) => code),
  ]);
}

for (const [at, first] of PRECEDENCE.entries()) {
  for (const second of PRECEDENCE.slice(at + 1)) {
    Deno.test(`of two tokens that disagree the one of ${first} counts, not the one of ${second}`, async () => {
      await using world = await TokenWorld.start();
      const [ann, bob] = [await world.token("ann"), await world.token("bob")];

      assertEquals(await connectWith(world, new Map([[first, ann], [second, bob]])), "ann");
      // Nor does a good one make up for a bad one.
      assertEquals(await connectWith(world, new Map([[first, "bad"], [second, bob]])), 4401);
    });
  }
}

Deno.test("connection_init may carry its token as token, authorization or Authorization, with or without Bearer", async () => {
  await using world = await TokenWorld.start();
  const token = await world.token("ann");

  for (const name of ["token", "authorization", "Authorization"]) {
    for (const text of [token, `Bearer ${token}`]) {
      await using client = await RawClient.connect(world.server.webSocketUrl);
      client.send({ type: "connection_init", payload: { [name]: text } });
      assertEquals((await client.next()).payload.userId, "ann", name);
    }
  }
});

Deno.test("the cookie that may hold the token has the name that was set", async () => {
  await using world = await TokenWorld.start({ auth: { jwt: { cookie: "session" } } });
  const origin = new URL(world.server.url).origin;
  const token = await world.token("ann");

  const named = await world.post("{ viewer { userId } }", { origin, cookie: `session=${token}` });
  const other = await world.post("{ viewer { userId } }", { origin, cookie: `token=${token}` });

  assertEquals(named.data.viewer.userId, "ann");
  assertEquals(other.status, 401);
});
