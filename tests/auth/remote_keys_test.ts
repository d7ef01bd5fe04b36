import { assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startLocalServer } from "../support/local_server.ts";
import { RawClient } from "../support/raw_client.ts";
import { createIssuer, inAnHour, type TestIssuer } from "../support/tokens.ts";

/** Serves a key set that can be changed, and counts who asks for it. */
async function serveKeys(keySet: string) {
  const state = { keySet, status: 200, asked: 0 };
  const server = createServer((_request, response) => {
    state.asked++;
    response.writeHead(state.status, { "content-type": "application/json", connection: "close" });
    response.end(state.keySet);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    state,
    url: `http://127.0.0.1:${port}/jwks.json`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Lets the keys' own clock, which is the machine's, run ahead. */
function runAhead(ms: number): Disposable {
  const { now } = Date;
  Date.now = () => now() + ms;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

/** The user that a token of this issuer is let in as, or the status of the refusal. */
async function ask(url: string, token: string): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: "{ viewer { userId } }" }),
  });
  const { data } = await response.json();
  return data?.viewer.userId ?? response.status;
}

function sign(issuer: TestIssuer, kid = "ES256"): Promise<string> {
  return issuer.sign("ES256", { sub: "ann", exp: inAnHour() }, { kid });
}

/** The issuer's keys under another name. */
function renamed(issuer: TestIssuer, kid: string): string {
  return issuer.keySet.replace('"kid":"ES256"', `"kid":"${kid}"`);
}

Deno.test("JWKS: keys are fetched once for many tokens, and a new key is found when a token names it", async () => {
  const [first, second] = await Promise.all([createIssuer("ES256"), createIssuer("ES256")]);
  await using keys = await serveKeys(first.keySet);
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: keys.url } } });

  for (let at = 0; at < 3; at++) assertEquals(await ask(server.url, await sign(first)), "ann");
  assertEquals(keys.state.asked, 1);
  keys.state.keySet = renamed(second, "next");
  // A flood of unknown keys is no flood of fetches.
  for (let at = 0; at < 3; at++) assertEquals(await ask(server.url, await sign(second, "next")), 401);
  assertEquals(keys.state.asked, 1);
  using _ahead = runAhead(31_000);

  assertEquals(await ask(server.url, await sign(second, "next")), "ann");
  assertEquals(keys.state.asked, 2);
});

Deno.test("JWKS: a key that was rotated out stops working within 5 minutes", async () => {
  const [first, second] = await Promise.all([createIssuer("ES256"), createIssuer("ES256")]);
  await using keys = await serveKeys(first.keySet);
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: keys.url } } });
  assertEquals(await ask(server.url, await sign(first)), "ann");

  keys.state.keySet = renamed(second, "next");
  using _ahead = runAhead(300_000);

  assertEquals(await ask(server.url, await sign(first)), 401);
  assertEquals(await ask(server.url, await sign(second, "next")), "ann");
});

for (
  const [what, change] of [
    ["answer with an error", { status: 500 }],
    ["answer with what are no keys", { keySet: "<html>" }],
    ["hold a secret", { keySet: JSON.stringify({ keys: "none" }) }],
  ] as const
) {
  Deno.test(`JWKS: while the keys ${what}, HTTP is told 503 and WebSocket 1013, until they can be had`, async () => {
    const issuer = await createIssuer("ES256");
    await using keys = await serveKeys(issuer.keySet);
    Object.assign(keys.state, change);
    await using server = await startLocalServer({ auth: { jwt: { jwksUrl: keys.url } } });
    const token = await sign(issuer);

    assertEquals(await ask(server.url, token), 503);
    await using client = await RawClient.connect(server.webSocketUrl);
    client.send({ type: "connection_init", payload: { token } });
    assertEquals(await client.closed, { code: 1013, reason: "Cannot check tokens for now: try again" });
    Object.assign(keys.state, { status: 200, keySet: issuer.keySet });
    using _ahead = runAhead(5_000);

    assertEquals(await ask(server.url, token), "ann");
  });
}

Deno.test("JWKS: nobody is let in while nobody answers", async () => {
  const issuer = await createIssuer("ES256");
  const gone = await serveKeys(issuer.keySet);
  await gone[Symbol.asyncDispose]();
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: gone.url } } });

  assertEquals(await ask(server.url, await sign(issuer)), 503);
});

Deno.test("JWKS: while the keys cannot be had, a flood of tokens is one fetch in 5 s", async () => {
  const issuer = await createIssuer("ES256");
  await using keys = await serveKeys(issuer.keySet);
  keys.state.status = 500;
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: keys.url } } });
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => sign(issuer, `unknown-${at}`)));

  for (const token of tokens) assertEquals(await ask(server.url, token), 503);
  assertEquals(keys.state.asked, 1);
  using _ahead = runAhead(5_000);
  for (const token of tokens) assertEquals(await ask(server.url, token), 503);

  assertEquals(keys.state.asked, 2);
});

Deno.test("JWKS: known keys work on while new ones cannot be had", async () => {
  const issuer = await createIssuer("ES256");
  await using keys = await serveKeys(issuer.keySet);
  await using server = await startLocalServer({ auth: { jwt: { jwksUrl: keys.url } } });
  assertEquals(await ask(server.url, await sign(issuer)), "ann");

  keys.state.status = 500;
  using _ahead = runAhead(31_000);
  for (let at = 0; at < 3; at++) assertEquals(await ask(server.url, await sign(issuer, "unknown")), 503);

  assertEquals(keys.state.asked, 2);
  assertEquals(
    await ask(server.url, await issuer.sign("ES256", { sub: "bob", exp: inAnHour() }, { kid: "ES256" })),
    "bob",
  );
});
