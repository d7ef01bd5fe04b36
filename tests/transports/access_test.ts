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
  ["127.0.0.1:4000", true],
  ["localhost", true],
  ["LOCALHOST:4000", true],
  ["[::1]:4000", true],
  ["rooms.example", false],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["localhost@evil.example", false],
  ["evil.example#localhost", false],
  ["", false],
] as const;

for (const [host, allowed] of HOSTS) {
  Deno.test(`an open server on loopback ${allowed ? "answers" : "refuses"} Host ${JSON.stringify(host)}`, () => {
    assertEquals(judge(open, { host }), allowed ? undefined : "host");
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

Deno.test("an open server on loopback allows pages of this machine on any port, and no others", () => {
  assertEquals(judge(open, { origin: "http://localhost:3000" }), undefined);
  assertEquals(judge(open, { origin: "http://127.0.0.1:5173" }), undefined);
  assertEquals(judge(open, { origin: "http://localhost.evil.example" }), "origin");
});

Deno.test("a request without Origin comes from no page and is let in", () => {
  assertEquals(judge(anonymous, { host: "rooms.example" }), undefined);
});
