import { assertEquals, assertGreater, assertNotEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Page, type PageContent } from "../../src/transports/page.ts";
import { startLocalServer } from "../support/local_server.ts";
import { type RawAnswer, requestRaw } from "../support/raw_http.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import { SECRET } from "../support/tokens.ts";

const HTML: Readonly<Record<string, string>> = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const GZIP: Readonly<Record<string, string>> = { ...HTML, "accept-encoding": "gzip, deflate, br, zstd" };
const PAGES = [
  ["/", "text/html; charset=utf-8"],
  ["/console.js", "text/javascript; charset=utf-8"],
  ["/console.css", "text/css; charset=utf-8"],
  ["/client.js", "text/javascript; charset=utf-8"],
  ["/graphql", "text/html; charset=utf-8"],
] as const;

Deno.test("every page is sent with its type, its policy, and what keeps it from being framed or guessed at", async () => {
  await using server = await startLocalServer();

  for (const [path, type] of PAGES) {
    const { status, headers } = await requestRaw(server.port, path, { headers: GZIP });

    assertEquals([status, headers["content-type"]], [200, type]);
    assertEquals(headers["cache-control"], "no-cache");
    assertEquals(headers["x-content-type-options"], "nosniff");
    assertEquals(headers["x-frame-options"], "DENY");
    assertEquals(headers["referrer-policy"], "no-referrer");
    assertEquals(headers["cross-origin-opener-policy"], "same-origin");
    assertEquals(headers["cross-origin-resource-policy"], "same-origin");
    assertStringIncludes(String(headers["permissions-policy"]), "camera=(), microphone=(), geolocation=()");
    assertStringIncludes(String(headers["content-security-policy"]), "frame-ancestors 'none'");
    assertEquals(headers.vary, "Origin, Accept, Accept-Encoding");
    assertStringIncludes(String(headers["content-security-policy"]), "default-src 'none'; ");
  }
});

Deno.test("the console may load its own script and style and nothing else", async () => {
  await using server = await startLocalServer();

  const { headers } = await requestRaw(server.port, "/", { headers: HTML });

  assertEquals(
    headers["content-security-policy"],
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; " +
      "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
});

Deno.test("GraphiQL may run its one inline script, by its hash, and nothing else", async () => {
  await using server = await startLocalServer();

  const { headers, bytes } = await requestRaw(server.port, "/graphql", { headers: HTML });

  const text = new TextDecoder().decode(bytes);
  const start = text.indexOf('<div id="root"></div>\n<script>') + '<div id="root"></div>\n<script>'.length;
  const script = text.slice(start, text.lastIndexOf("</script>"));
  assertEquals(
    headers["content-security-policy"],
    `default-src 'none'; script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'; ` +
      "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; " +
      "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

Deno.test("a page goes compressed to who takes gzip, and as it is to everybody else", async () => {
  await using server = await startLocalServer();

  for (const [path] of PAGES) {
    const compressed = await requestRaw(server.port, path, { headers: GZIP });
    assertEquals(compressed.headers["content-encoding"], "gzip");
    assertEquals(Number(compressed.headers["content-length"]), compressed.bytes.length);
    for (const accepted of [undefined, "", "br", "gzip;q=0", "deflate, gzip; q=0.000", "xgzip"]) {
      const headers = accepted === undefined ? HTML : { ...HTML, "accept-encoding": accepted };
      const plain = await requestRaw(server.port, path, { headers });

      assertEquals(plain.headers["content-encoding"], undefined, accepted);
      assertEquals(Number(plain.headers["content-length"]), plain.bytes.length);
      assertEquals(hashOf(plain.bytes), hashOf(await unpack(compressed.bytes)));
      assertGreater(plain.bytes.length, compressed.bytes.length);
    }
  }
});

Deno.test("a page the browser holds already is answered 304 without a body, each encoding by its own validator", async () => {
  await using server = await startLocalServer();

  for (const [path] of PAGES) {
    const plain = String((await requestRaw(server.port, path, { headers: HTML })).headers.etag);
    const compressed = String((await requestRaw(server.port, path, { headers: GZIP })).headers.etag);
    const ask = async (etags: string, headers = GZIP) => {
      const answer = await requestRaw(server.port, path, { headers: { ...headers, "if-none-match": etags } });
      if (answer.status === 304) assertEquals([answer.bytes.length, answer.headers.etag], [0, compressed]);
      return answer.status;
    };

    assertNotEquals(plain, compressed);
    assertEquals(await ask(compressed), 304);
    assertEquals(await ask(`"other", W/${compressed}`), 304);
    assertEquals(await ask(plain), 200);
    assertEquals(await ask(compressed, HTML), 200);
    assertEquals(await ask(`"other"`), 200);
  }
});

Deno.test("HEAD says of a page what GET says, without the page", async () => {
  await using server = await startLocalServer();

  for (const [path] of PAGES) {
    const got = await requestRaw(server.port, path, { headers: GZIP });
    const asked = await requestRaw(server.port, path, { method: "HEAD", headers: GZIP });

    assertEquals([asked.status, asked.bytes.length], [200, 0]);
    assertEquals(withoutDate(asked), withoutDate(got));
  }
});

Deno.test("nothing of a request stands in a page", async () => {
  await using server = await startLocalServer();
  const attacks = [`?x=</script><script>alert(1)</script>`, `?"onload="alert(1)`, "?operationName=<b>&variables={}"];

  for (const [path] of PAGES) {
    const plain = await requestRaw(server.port, path, { headers: HTML });
    for (const attack of attacks) {
      const headers = { ...HTML, "x-forwarded-host": "evil.example", referer: "https://evil.example/<script>" };
      const answer = await requestRaw(server.port, path + encodeURI(attack), { headers });

      assertEquals([answer.status, hashOf(answer.bytes)], [200, hashOf(plain.bytes)]);
    }
  }
});

for (const path of ["//", "//evil.example/", "/%", "/console.js/", "/<script>alert(1)</script>", "/__proto__", "*"]) {
  Deno.test(`the path ${path} is no page, is not shown back, and ends nothing`, async () => {
    await using server = await startLocalServer();

    const { status, headers, bytes } = await requestRaw(server.port, path, { headers: HTML });

    assertEquals([status, headers["content-type"]], [404, "application/json; charset=utf-8"]);
    assertEquals(new TextDecoder().decode(bytes).includes(path), false);
    assertEquals((await requestRaw(server.port, "/health")).status, 200);
  });
}

Deno.test("GraphiQL is for who opens the path: not for a query, and not for a program", async () => {
  await using server = await startLocalServer();
  const query = `/graphql?query=${encodeURIComponent("{ viewer { id } }")}`;

  const answers = await Promise.all([
    requestRaw(server.port, query, { headers: HTML }),
    requestRaw(server.port, "/graphql", { headers: { accept: "application/json" } }),
    requestRaw(server.port, "/graphql"),
    requestRaw(server.port, "/graphql", { method: "POST", headers: HTML }),
    requestRaw(server.port, "/", { method: "POST", headers: HTML }),
  ]);

  for (const { headers } of answers) assertEquals(/text\/html/.test(String(headers["content-type"])), false);
  assertEquals(answers[0]!.status, 200);
  assertEquals(answers[4]!.status, 404);
});

Deno.test("a page of another origin is not shown the pages either", async () => {
  await using server = await startLocalServer();

  const { status } = await requestRaw(server.port, "/", { headers: { ...HTML, origin: "https://evil.example" } });

  assertEquals(status, 403);
});

Deno.test("the client's script is a module that pages may import from any origin that is let in", async () => {
  await using server = await startLocalServer({ server: { allowedOrigins: ["https://app.example"] } });
  const ask = (origin: string) => requestRaw(server.port, "/client.js", { headers: { origin } });

  const [known, foreign] = await Promise.all([ask("https://app.example"), ask("https://evil.example")]);

  assertEquals([known.status, known.headers["access-control-allow-origin"]], [200, "https://app.example"]);
  assertEquals(known.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
  assertStringIncludes(new TextDecoder().decode(known.bytes), "export {\n  resumable\n};");
  assertEquals(foreign.status, 403);
});

Deno.test("a server without pages shows none of them, and answers as before", async () => {
  await using server = await startLocalServer({ server: { pages: false } });

  for (const [path] of PAGES) {
    const { status, headers } = await requestRaw(server.port, path, { headers: HTML });

    if (path !== "/graphql") assertEquals(status, 404, path);
    assertEquals(/text\/html|javascript|css/.test(String(headers["content-type"])), false);
  }
  assertEquals((await server.query("{ viewer { scopes } }")).errors, undefined);
});

Deno.test("a page that cannot be loaded is a clear error and a line in the log, and is tried again", async () => {
  const telemetry = new RecordingTelemetry();
  let loads = 0;
  await using site = await serve({
    telemetry,
    load() {
      loads++;
      return loads === 1 ? Promise.reject(new Error("Cannot find the package")) : Promise.resolve(CONTENT);
    },
  });

  const failed = await requestRaw(site.port, "/");
  const loaded = await requestRaw(site.port, "/");

  assertEquals([failed.status, loaded.status], [500, 200]);
  const { errors } = JSON.parse(new TextDecoder().decode(failed.bytes));
  assertStringIncludes(errors[0].message, "Cannot show this page");
  assertEquals(JSON.stringify(errors).includes("package"), false);
  assertEquals(telemetry.events, ["page.failed"]);
});

Deno.test("a page is loaded once, however many ask for it at first", async () => {
  let loads = 0;
  await using site = await serve({
    telemetry: new RecordingTelemetry(),
    load() {
      loads++;
      return Promise.resolve(CONTENT);
    },
  });

  const answers = await Promise.all(Array.from({ length: 20 }, () => requestRaw(site.port, "/")));

  assertEquals(answers.map(({ status }) => status), Array(20).fill(200));
  assertEquals(loads, 1);
});

const CONTENT: PageContent = { type: "text/plain", text: "page", policy: "default-src 'none'" };

async function serve(deps: { load(): Promise<PageContent>; readonly telemetry: RecordingTelemetry }) {
  const page = new Page({ name: "/", ...deps });
  const server = createServer((request, response) => void page.answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).bytes();
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function withoutDate({ headers }: RawAnswer): unknown {
  const { date: _date, ...rest } = headers;
  return rest;
}

Deno.test("the console's page says whether its server asks for tokens, and nothing of the request", async () => {
  await using open = await startLocalServer();
  await using closed = await startLocalServer({ auth: { jwt: { secret: SECRET } } });
  const read = async ({ port }: { readonly port: number }, path: string) =>
    new TextDecoder().decode((await requestRaw(port, path, { headers: HTML })).bytes);

  const [withoutTokens, withTokens] = [await read(open, "/"), await read(closed, "/")];

  assertEquals([withoutTokens, withTokens].map((text) => text.includes('<html lang="en" data-needs-token>')), [
    false,
    true,
  ]);
  assertEquals(await read(closed, "/?token=abc&needsToken=no"), withTokens);
});
