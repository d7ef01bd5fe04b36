import type { IncomingMessage } from "node:http";
import { assertEquals } from "@std/assert";
import { Access } from "../../src/transports/access.ts";

function judge(access: Access, headers: Record<string, string>) {
  return access.judge({ headers: { host: "127.0.0.1:4000", ...headers } } as unknown as IncomingMessage);
}

const open = new Access({ openOnLoopback: true, allowedOrigins: ["https://app.example"] });
const anonymous = new Access({
  openOnLoopback: false,
  allowedOrigins: ["https://app.example", "http://[2001:db8::1]:8080"],
});

const HOSTS = [
  ["127.0.0.1:4000", undefined],
  ["localhost", undefined],
  ["LOCALHOST:4000", undefined],
  ["[::1]:4000", undefined],
  ["localhost:", undefined],
  ["rooms.example", "host"],
  ["localhost.evil.example", "host"],
  ["127.0.0.1.evil.example", "host"],
  ["localhost@evil.example", "no host"],
  ["evil.example#localhost", "no host"],
  ["localhost, evil.example", "no host"],
  ["localhost:99999", "no host"],
  ["[::1", "no host"],
  ["", "no host"],
] as const;

for (const [host, refusal] of HOSTS) {
  Deno.test(`an open server on loopback ${refusal ? "refuses" : "answers"} Host ${JSON.stringify(host)}`, () => {
    assertEquals(judge(open, { host }), refusal);
  });
}

const ORIGINS = [
  ["https://app.example", true],
  ["https://APP.example", true],
  ["http://app.example", false],
  ["https://app.example:444", false],
  ["https://app.example.evil.example", false],
  ["https://evil.example/https://app.example", false],
  ["https://app.example/", false],
  ["https://app.example@evil.example", false],
  ["https://sub.app.example", false],
  ["null", false],
  ["file://", false],
  ["", false],
  ["http://[2001:db8::1]:8080", true],
  ["http://[2001:db8::1]", false],
  ["http://rooms.example:4000", true],
  ["https://rooms.example:4000", true],
  ["http://rooms.example", false],
  ["http://localhost:3000", false],
] as const;

for (const [origin, allowed] of ORIGINS) {
  Deno.test(`a server at rooms.example:4000 ${allowed ? "allows" : "refuses"} Origin ${JSON.stringify(origin)}`, () => {
    assertEquals(judge(anonymous, { host: "rooms.example:4000", origin }), allowed ? undefined : "origin");
  });
}

/** Pages of the server's own host and port: what the request says of the scheme, and whether they are its own. */
const OWN_HOST = [
  ["rooms.example", "http://rooms.example", {}, true],
  ["rooms.example", "https://rooms.example", {}, true],
  ["rooms.example:80", "http://rooms.example", {}, true],
  ["rooms.example:443", "https://rooms.example", {}, true],
  ["rooms.example:80", "https://rooms.example", {}, false],
  ["rooms.example:443", "http://rooms.example", {}, false],
  ["rooms.example", "https://rooms.example", { "x-forwarded-proto": "https" }, true],
  ["rooms.example", "https://rooms.example", { "x-forwarded-proto": "http" }, true],
  ["rooms.example", "http://rooms.example", { "x-forwarded-proto": "http" }, true],
  ["rooms.example", "http://rooms.example", { "x-forwarded-proto": "https" }, false],
  ["rooms.example", "http://rooms.example", { "x-forwarded-proto": "https,http" }, false],
  ["rooms.example", "http://rooms.example", { "x-forwarded-proto": "http, https" }, true],
  ["rooms.example", "http://rooms.example", { "x-forwarded-proto": "wss" }, false],
  ["rooms.example", "http://rooms.example", { "sec-fetch-site": "same-origin" }, true],
  ["rooms.example", "http://rooms.example", { "sec-fetch-site": "cross-site" }, false],
  ["rooms.example", "http://rooms.example", { "sec-fetch-site": "same-site" }, false],
  ["rooms.example", "https://rooms.example", { "sec-fetch-site": "same-origin" }, true],
] as const;

for (const [host, origin, said, allowed] of OWN_HOST) {
  const request = JSON.stringify({ host, origin, ...said });
  Deno.test(`a page of the server's host is ${allowed ? "" : "not "}its own with ${request}`, () => {
    assertEquals(judge(anonymous, { host, origin, ...said }), allowed ? undefined : "origin");
  });
}

Deno.test("an http page that is listed is let in, wherever the server is reached", () => {
  const access = new Access({ openOnLoopback: false, allowedOrigins: ["http://rooms.example"] });

  const headers = { host: "rooms.example", origin: "http://rooms.example", "x-forwarded-proto": "https" };

  assertEquals(judge(access, headers), undefined);
});

Deno.test("a foreign page's tag is refused by the browser's word, a link from there is not", () => {
  const host = "rooms.example";

  assertEquals(judge(anonymous, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), "origin");
  assertEquals(judge(anonymous, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket" }), "origin");
  assertEquals(judge(anonymous, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), undefined);
  assertEquals(judge(anonymous, { host, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }), undefined);
});

Deno.test("an open server on loopback allows pages of this machine on any port, and no others", () => {
  assertEquals(judge(open, { origin: "http://localhost:3000" }), undefined);
  assertEquals(judge(open, { origin: "http://127.0.0.1:5173" }), undefined);
  assertEquals(judge(open, { origin: "http://localhost.evil.example" }), "origin");
});

Deno.test("a request without Origin comes from no page and is let in", () => {
  assertEquals(judge(anonymous, { host: "rooms.example" }), undefined);
});
