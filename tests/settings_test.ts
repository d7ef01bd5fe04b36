import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { formatHelp } from "../src/help.ts";
import { resolveOptions, type RoomsOptions } from "../src/options.ts";
import { readSettings, SETTINGS, SettingsError } from "../src/settings.ts";

type Variables = Readonly<Record<string, string>>;

function read(args: readonly string[], variables: Variables = {}, isTerminal = false) {
  return readSettings({ args, variable: (name) => variables[name], isTerminal });
}

function start(args: readonly string[], variables?: Variables, isTerminal?: boolean) {
  const command = read(args, variables, isTerminal);
  if (command.kind !== "start") throw new Error(`Cannot start: "${command.kind}" was asked for`);
  return command;
}

const NOTHING: RoomsOptions = { server: {}, auth: {}, history: {}, presence: {}, limits: {} };

/** A flag, a text it takes, and the options that come of it. */
const READ: readonly (readonly [flag: string, text: string, options: RoomsOptions, more?: readonly string[]])[] = [
  ["port", "0", { server: { port: 0 } }],
  ["port", "65535", { server: { port: 65535 } }],
  ["host", "127.0.0.2", { server: { host: "127.0.0.2" } }],
  ["host", "::1", { server: { host: "::1" } }],
  ["anonymous", "true", { auth: { anonymous: true } }],
  ["anonymous", "0", { auth: { anonymous: false } }],
  ["allowed-origins", "https://a.example", { server: { allowedOrigins: ["https://a.example"] } }],
  ["allowed-origins", "https://a.example, http://b.example:81", {
    server: { allowedOrigins: ["https://a.example", "http://b.example:81"] },
  }],
  ["no-pages", "true", { server: { pages: false } }],
  ["no-pages", "0", { server: { pages: true } }],
  ["introspection", "true", { server: { introspection: true } }],
  ["introspection", "0", { server: { introspection: false } }],
  ["compression", "true", { server: { compression: true } }],
  ["compression", "0", { server: { compression: false } }],
  ["history-count", "10", { history: { count: 10 } }],
  ["history-age-seconds", "60", { history: { ageMs: 60_000 } }],
  ["history-age-seconds", "0.25", { history: { ageMs: 250 } }],
  ["node-id", "node-1", { nodeId: "node-1" }],
  ["drain-seconds", "0", { server: { drainMs: 0 } }],
  ["leave-grace-seconds", "1.001", { presence: { leaveGraceMs: 1_001 } }],
  ["ping-seconds", "15", { server: { pingMs: 15_000 } }],
  ["max-connections", "19000", { limits: { connections: 19_000 } }],
  ["max-connections-per-address", "0", { limits: { connectionsPerAddress: 0 } }],
  ["trusted-proxies", "10.0.0.0/8, ::1", { server: { trustedProxies: ["10.0.0.0/8", "::1"] } }],
  ["rate-limit", "0", { limits: { messagesPerSecond: 0 } }],
  ["rate-limit", "1000000", { limits: { messagesPerSecond: 1_000_000 } }],
];

for (const [flag, text, options] of READ) {
  const variable = flag.toUpperCase().replaceAll("-", "_");

  Deno.test(`readSettings() reads --${flag} ${text} and ${variable}=${text} alike`, () => {
    const expected = { ...NOTHING, ...options };

    assertEquals(start([`--${flag}`, text]).options, expected);
    assertEquals(start([`--${flag}=${text}`]).options, expected);
    assertEquals(start([], { [variable]: text }).options, expected);
    resolveOptions(expected);
  });
}

Deno.test("readSettings() sets nothing when nothing is given", () => {
  assertEquals(read([]), {
    kind: "start",
    options: NOTHING,
    log: { level: "info", format: "json" },
    keyFile: undefined,
  });
});

Deno.test("readSettings() lets a flag win over its variable, also when the variable cannot be used", () => {
  assertEquals(start(["--port", "1"], { PORT: "2" }).options.server, { port: 1 });
  assertEquals(start(["--port", "1"], { PORT: "x" }).options.server, { port: 1 });
});

Deno.test("readSettings() takes an empty variable for an unset one", () => {
  assertEquals(start([], { PORT: "", HOST: "", ANONYMOUS: "", LOG_LEVEL: "" }).options, NOTHING);
});

Deno.test("readSettings() takes --anonymous alone for true, and --no-anonymous for false", () => {
  assertEquals(start(["--anonymous"]).options.auth, { anonymous: true });
  assertEquals(start(["--anonymous", "--host", "0.0.0.0"]).options.server, { host: "0.0.0.0" });
  assertEquals(start(["--no-anonymous"], { ANONYMOUS: "true" }).options.auth, { anonymous: false });
});

Deno.test("readSettings() takes --no-pages alone for true", () => {
  assertEquals(start(["--no-pages"], { NO_PAGES: "false" }).options.server, { pages: false });
  assertEquals(start(["--no-pages=false"]).options.server, { pages: true });
});

Deno.test("readSettings() takes --compression alone for true, and --no-compression for false", () => {
  assertEquals(start(["--compression"]).options.server, { compression: true });
  assertEquals(start(["--no-compression"], { COMPRESSION: "true" }).options.server, { compression: false });
});

Deno.test("readSettings() asks for tokens on any address, once it is said how they are checked", () => {
  const secret = "x".repeat(32);

  const { options } = start(["--host", "0.0.0.0", "--jwt-leeway-seconds", "5"], {
    JWT_SECRET: secret,
    JWT_ISSUER: "me",
  });

  assertEquals(options.auth, { jwt: { secret, issuer: "me", leewayMs: 5_000 } });
});

Deno.test("readSettings() tells of the file with the public keys, which is not an option", () => {
  const { options, keyFile } = start(["--jwt-key-file", "keys.pem", "--token-cookie", "id"]);

  assertEquals(keyFile, "keys.pem");
  assertEquals(options.auth, { jwt: { cookie: "id" } });
});

Deno.test("readSettings() reads the scopes of --anonymous", () => {
  const { options } = start(["--anonymous"], { ANONYMOUS_SCOPES: "read,broadcast" });

  assertEquals(options.auth, { anonymous: true, anonymousScopes: ["read", "broadcast"] });
});

Deno.test("readSettings() logs pretty lines on a terminal, JSON elsewhere, and what is asked for anywhere", () => {
  assertEquals(start([], {}, true).log, { level: "info", format: "pretty" });
  assertEquals(start([], {}, false).log, { level: "info", format: "json" });
  assertEquals(start(["--log-format", "json"], { LOG_LEVEL: "debug" }, true).log, { level: "debug", format: "json" });
});

Deno.test("readSettings() answers --help and --version before it judges the rest", () => {
  assertEquals(read(["--prot", "--help"], { PORT: "x" }), { kind: "help" });
  assertEquals(read(["-h"]), { kind: "help" });
  assertEquals(read(["--version", "--port"]), { kind: "version" });
});

const REFUSED: readonly (readonly [args: readonly string[], variables: Variables, message: string])[] = [
  [["--port", "70000"], {}, 'Cannot use "70000" as --port: must be an integer from 0 to 65535'],
  [[], { PORT: "70000" }, 'Cannot use "70000" as PORT: must be an integer from 0 to 65535'],
  [[], { PORT: "4e3" }, 'Cannot use "4e3" as PORT: must be an integer from 0 to 65535'],
  [[], { PORT: " 80" }, 'Cannot use " 80" as PORT: must be an integer from 0 to 65535'],
  [["--port", "0x50"], {}, 'Cannot use "0x50" as --port: must be an integer from 0 to 65535'],
  [["--port"], {}, "Cannot use --port without a value: must be an integer from 0 to 65535"],
  [["--port="], {}, "Cannot use --port without a value: must be an integer from 0 to 65535"],
  [["--port", "--host", "::1"], {}, "Cannot use --port without a value: must be an integer from 0 to 65535"],
  [["--port", "1", "--port", "2"], {}, "Cannot use --port more than once"],
  [["--prot", "1"], {}, 'Cannot use "--prot": no such flag, see --help'],
  [["--no-port"], {}, 'Cannot use "--no-port": no such flag, see --help'],
  [["-p", "1"], {}, 'Cannot use "-p": no such flag, see --help'],
  [["--port.x=1"], {}, 'Cannot use "--port.x=1": no such flag, see --help'],
  [["--__proto__=1"], {}, 'Cannot use "--__proto__=1": no such flag, see --help'],
  [["4000"], {}, 'Cannot use "4000": no such flag, see --help'],
  [["--", "--port"], {}, 'Cannot use "--port": no such flag, see --help'],
  [["--anonymous=maybe"], {}, 'Cannot use "maybe" as --anonymous: must be true, 1, false or 0'],
  [["--no-anonymous=true"], {}, 'Cannot use "true": no such flag, see --help'],
  [["--pages"], {}, 'Cannot use "--pages": no such flag, see --help'],
  [[], { NO_PAGES: "off" }, 'Cannot use "off" as NO_PAGES: must be true, 1, false or 0'],
  [[], { ANONYMOUS: "yes" }, 'Cannot use "yes" as ANONYMOUS: must be true, 1, false or 0'],
  [
    ["--host", "0.0.0.0"],
    {},
    'Cannot use "0.0.0.0" as --host without authentication: ' +
    "must be a loopback address, or ask for tokens (JWT_SECRET), or let anybody in with --anonymous (ANONYMOUS=true)",
  ],
  [["--no-anonymous"], { HOST: "::", ANONYMOUS: "1" }, 'Cannot use "::" as HOST without authentication'],
  [["--jwt-secret", "hunter2"], {}, "Cannot use --jwt-secret: must be at least 32 random bytes"],
  [[], { JWT_SECRET: "hunter2" }, "Cannot use JWT_SECRET: must be at least 32 random bytes"],
  [
    ["--jwks-url", "https://id.example"],
    { JWT_SECRET: "x".repeat(32) },
    "Cannot use JWT_SECRET together with --jwks-url: only one of them can say which tokens are good",
  ],
  [
    ["--anonymous"],
    { JWT_KEY_FILE: "keys.pem" },
    "Cannot use --anonymous together with JWT_KEY_FILE: either tokens say who comes in, or anybody does",
  ],
  [
    ["--jwt-issuer", "https://id.example"],
    {},
    "Cannot use --jwt-issuer without JWT_SECRET, JWKS_URL or JWT_KEY_FILE: it would have no effect",
  ],
  [["--jwks-url", "id.example"], {}, 'Cannot use "id.example" as --jwks-url: must be a URL such as'],
  [["--token-cookie", "a b"], {}, 'Cannot use "a b" as --token-cookie: must be the name of a cookie'],
  [["--host", "[::1]"], {}, 'Cannot use "[::1]" as --host: must be an IP address or a host name'],
  [
    [],
    { ANONYMOUS_SCOPES: "read" },
    "Cannot use ANONYMOUS_SCOPES without --anonymous (ANONYMOUS=true): it would have no effect",
  ],
  [
    ["--anonymous", "--anonymous-scopes", "read,write"],
    {},
    'Cannot use "read,write" as --anonymous-scopes: each part between commas must be one of read, send, join',
  ],
  [["--allowed-origins", "*"], {}, 'Cannot use "*" as --allowed-origins: each part between commas must be an origin'],
  [[], { ALLOWED_ORIGINS: "https://a.example," }, 'Cannot use "https://a.example," as ALLOWED_ORIGINS'],
  [["--trusted-proxies", "proxy.internal"], {}, 'Cannot use "proxy.internal" as --trusted-proxies: each part between'],
  [[], { TRUSTED_PROXIES: "10.0.0.0/33" }, 'Cannot use "10.0.0.0/33" as TRUSTED_PROXIES: each part between commas'],
  [["--rate-limit", "2.5"], {}, 'Cannot use "2.5" as --rate-limit: must be an integer from 0 to 1000000'],
  [["--history-count", "0"], {}, 'Cannot use "0" as --history-count: must be an integer from 1 to 1000000'],
  [
    [],
    { PING_SECONDS: "0" },
    'Cannot use "0" as PING_SECONDS: must be a number of seconds from 0.001 to 86400, to the millisecond',
  ],
  [["--drain-seconds", "-1"], {}, "Cannot use --drain-seconds without a value: must be a number of seconds from 0"],
  [["--drain-seconds=-1"], {}, 'Cannot use "-1" as --drain-seconds: must be a number of seconds from 0 to 86400'],
  [["--node-id", "a b"], {}, 'Cannot use "a b" as --node-id: must be 1 to 128 letters, digits or signs'],
  [[], { LOG_LEVEL: "silent" }, 'Cannot use "silent" as LOG_LEVEL: must be one of debug, info, warn, error'],
  [["--log-format", "xml\n"], {}, 'Cannot use "xml\\n" as --log-format: must be one of pretty, json'],
];

for (const [args, variables, message] of REFUSED) {
  Deno.test(`readSettings() refuses ${JSON.stringify(args)} with ${JSON.stringify(variables)} in one line`, () => {
    const error = assertThrows(() => read(args, variables), SettingsError, message);

    assertEquals(error.message.includes("\n"), false);
  });
}

Deno.test("SETTINGS names each setting once", () => {
  assertEquals(new Set(SETTINGS.map(({ flag }) => flag)).size, SETTINGS.length);
});

Deno.test("formatHelp() lists every setting with its variable and default, aligned", () => {
  const lines = formatHelp("1.2.3").split("\n");
  const columns = new Set<number>();

  for (const { flag, variable, help, defaultText } of SETTINGS) {
    const index = lines.findIndex((line) => line.startsWith(`  --${flag} `));
    const [first, second] = lines.slice(index);
    assertEquals(second?.trim(), `${variable} (default: ${defaultText})`);
    assert(first?.endsWith(`  ${help}`), first);
    columns.add(first!.length - help.length).add(second!.search(/\S/));
  }

  assertEquals(columns.size, 1);
  assertGreater(lines.findIndex((line) => line.startsWith("  -h, --help ")), 0);
});

for (const [task, { command }] of [["start", config.tasks.start], ["dev", config.tasks.dev]] as const) {
  Deno.test(`deno task ${task} may read the variable of each setting, and of nothing else but NODE_ENV`, () => {
    const allowed = /--allow-env=(\S+)/.exec(command)?.[1]?.split(",");

    assertEquals(new Set(allowed), new Set(["NODE_ENV", ...SETTINGS.map(({ variable }) => variable)]));
  });
}
