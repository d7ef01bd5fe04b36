import { assertEquals, assertThrows } from "@std/assert";
import { DEFAULTS, resolveOptions, type RoomsOptions } from "../src/options.ts";

Deno.test("resolveOptions() gives the defaults when nothing is set", () => {
  assertEquals(resolveOptions({}), { nodeId: undefined, ...DEFAULTS });
});

Deno.test("resolveOptions() keeps what is set and fills in the rest of its part", () => {
  const settings = resolveOptions({ nodeId: "n1", server: { port: 0 }, limits: { connections: 5 } });

  assertEquals(settings, {
    ...DEFAULTS,
    nodeId: "n1",
    server: { ...DEFAULTS.server, port: 0 },
    limits: { ...DEFAULTS.limits, connections: 5 },
  });
});

Deno.test("resolveOptions() takes an option that is undefined as not given", () => {
  const options = { nodeId: undefined, server: { port: undefined }, auth: { authorize: undefined }, limits: undefined };

  assertEquals(resolveOptions(options as unknown as RoomsOptions), { nodeId: undefined, ...DEFAULTS });
});

Deno.test("resolveOptions() leaves the defaults alone", () => {
  const before = structuredClone(DEFAULTS);

  resolveOptions({ server: { port: 1, allowedOrigins: ["https://a.example"] }, history: { count: 1 } });

  assertEquals(DEFAULTS, before);
});

Deno.test("resolveOptions() lets an open server listen on any address once anonymous is set", () => {
  const settings = resolveOptions({
    server: { host: "0.0.0.0" },
    auth: { anonymous: true, anonymousScopes: ["read"] },
  });

  assertEquals(settings.server.host, "0.0.0.0");
  assertEquals(settings.auth, { anonymous: true, anonymousScopes: ["read"] });
});

for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "::1"]) {
  Deno.test(`resolveOptions() lets an open server listen on ${host}`, () => {
    assertEquals(resolveOptions({ server: { host } }).server.host, host);
  });
}

const ORIGINS = ["https://app.example.com", "http://localhost:5173", "http://[::1]:8080", "https://a.example:443"];
Deno.test("resolveOptions() takes origins as they are", () => {
  assertEquals(resolveOptions({ server: { allowedOrigins: ORIGINS } }).server.allowedOrigins, ORIGINS);
});

const ORIGIN = 'must be an origin such as "https://app.example.com", without a path or wildcards';
const REFUSED:
  readonly (readonly [options: unknown, errorClass: typeof TypeError | typeof RangeError, message: string])[] = [
    [{ server: { port: 70000 } }, RangeError, "Cannot use 70000 as server.port: must be an integer from 0 to 65535"],
    [{ server: { port: -1 } }, RangeError, "Cannot use -1 as server.port: must be an integer from 0 to 65535"],
    [{ server: { port: 1.5 } }, RangeError, "Cannot use 1.5 as server.port: must be an integer from 0 to 65535"],
    [{ server: { port: NaN } }, RangeError, "Cannot use NaN as server.port: must be an integer from 0 to 65535"],
    [{ server: { port: "80" } }, TypeError, 'Cannot use "80" as server.port: must be an integer from 0 to 65535'],
    [{ server: { port: null } }, TypeError, "Cannot use null as server.port: must be an integer from 0 to 65535"],
    [{ server: { pingMs: 0 } }, RangeError, "Cannot use 0 as server.pingMs: must be an integer from 1 to 86400000"],
    [{ server: { drainMs: Infinity } }, RangeError, "Cannot use Infinity as server.drainMs"],
    [{ history: { count: 0 } }, RangeError, "Cannot use 0 as history.count: must be an integer from 1 to 1000000"],
    [{ presence: { leaveGraceMs: -1 } }, RangeError, "Cannot use -1 as presence.leaveGraceMs"],
    [{ limits: { outboxBytes: {} } }, TypeError, "Cannot use an object as limits.outboxBytes"],
    [{ server: { host: "" } }, RangeError, 'Cannot use "" as server.host: must be an IP address or a host name'],
    [{ server: { host: "[::1]" } }, RangeError, 'Cannot use "[::1]" as server.host'],
    [{ server: { host: "localhost:80" } }, RangeError, 'Cannot use "localhost:80" as server.host'],
    [
      { server: { host: "0.0.0.0" } },
      RangeError,
      'Cannot use "0.0.0.0" as server.host without authentication: ' +
      "must be a loopback address, or set auth.jwt to ask for tokens, or auth.anonymous to let anybody in",
    ],
    [{ server: { host: "::" }, auth: { anonymous: false } }, RangeError, "or auth.anonymous to let anybody in"],
    [{ server: { allowedOrigins: "*" } }, TypeError, 'Cannot use "*" as server.allowedOrigins: must be an array'],
    [{ server: { allowedOrigins: ["*"] } }, RangeError, `Cannot use "*" as one of server.allowedOrigins: ${ORIGIN}`],
    [{ server: { pages: "no" } }, TypeError, 'Cannot use "no" as server.pages: must be a boolean'],
    [{ server: { compression: 1 } }, TypeError, "Cannot use 1 as server.compression: must be a boolean"],
    [{ auth: { anonymous: "yes" } }, TypeError, 'Cannot use "yes" as auth.anonymous: must be a boolean'],
    [{ auth: { anonymousScopes: ["read"] } }, TypeError, "Cannot use auth.anonymousScopes without auth.anonymous"],
    [
      { auth: { anonymous: true, anonymousScopes: ["write"] } },
      RangeError,
      'Cannot use "write" as one of auth.anonymousScopes: must be one of read, send, join, broadcast, moderate, admin',
    ],
    [{ auth: { jwt: {} } }, TypeError, "Cannot use auth.jwt: must have one of secret, publicKeys and jwksUrl"],
    [{ auth: { jwt: { secret: "x".repeat(32), jwksUrl: "https://id.example" } } }, TypeError, "Cannot use auth.jwt"],
    [
      { auth: { jwt: { secret: "short" } } },
      RangeError,
      "Cannot use auth.jwt.secret: must be at least 32 random bytes",
    ],
    [{ auth: { jwt: { publicKeys: "" } } }, RangeError, 'Cannot use "" as auth.jwt.publicKeys: must not be empty'],
    [{ auth: { jwt: { jwksUrl: "id.example" } } }, RangeError, 'Cannot use "id.example" as auth.jwt.jwksUrl'],
    [{ auth: { jwt: { secret: "x".repeat(32), issuer: "" } } }, RangeError, 'Cannot use "" as auth.jwt.issuer'],
    [{ auth: { jwt: { secret: "x".repeat(32), leewayMs: -1 } } }, RangeError, "Cannot use -1 as auth.jwt.leewayMs"],
    [{ auth: { jwt: { secret: "x".repeat(32), cookie: "a b" } } }, RangeError, 'Cannot use "a b" as auth.jwt.cookie'],
    [{ auth: { jwt: { secret: "x".repeat(32), key: "x" } } }, TypeError, 'Cannot use "auth.jwt.key": no such option'],
    [{ auth: { jwt: { secret: "x".repeat(32) }, anonymous: true } }, TypeError, "Cannot use auth.jwt together with"],
    [{ auth: { authorize: true } }, TypeError, "Cannot use true as auth.authorize: must be a function"],
    [{ nodeId: "" }, RangeError, 'Cannot use "" as nodeId: must be 1 to 128'],
    [{ nodeId: 7 }, TypeError, "Cannot use 7 as nodeId: must be 1 to 128"],
    [{ telemetry: {} }, TypeError, "Cannot use undefined as telemetry.record: must be a function"],
    [{ onConnect: "x" }, TypeError, 'Cannot use "x" as onConnect: must be a function'],
    [{ server: 4000 }, TypeError, "Cannot use 4000 as server: must be an object"],
    [{ server: { prot: 1 } }, TypeError, 'Cannot use "server.prot": no such option, must be one of host, port'],
    [{ sever: {} }, TypeError, 'Cannot use "sever": no such option, must be one of server, auth'],
  ];

for (const [options, errorClass, message] of REFUSED) {
  Deno.test(`resolveOptions() refuses ${JSON.stringify(options)}`, () => {
    assertThrows(() => resolveOptions(options as RoomsOptions), errorClass, message);
  });
}

const NO_ORIGINS = ["", "null", "app.example.com", "ftp://a.example", "https://a.example/", "https://a.example/path"];
for (
  const origin of [
    ...NO_ORIGINS,
    "https://*.example.com",
    "https://a@b.example",
    "https://a.example ",
    "https://a:99999",
  ]
) {
  Deno.test(`resolveOptions() refuses ${JSON.stringify(origin)} as an origin`, () => {
    assertThrows(() => resolveOptions({ server: { allowedOrigins: [origin] } }), RangeError, ORIGIN);
  });
}
