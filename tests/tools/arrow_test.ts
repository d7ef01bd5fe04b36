import { assertEquals, assertStringIncludes } from "@std/assert";
import plugin from "../../tools/lint/arrow.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** What the rule says of one file's source. */
function lint(file: string, source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, ROOT + file, source).map(({ message }) => message);
}

const ALLOWED: readonly (readonly [file: string, source: string])[] = [
  ["src/core/rooms.ts", 'import type { Engine } from "./engine.ts";'],
  ["src/engines/memory.ts", 'import { RealtimeError } from "../core/errors.ts";'],
  ["src/engines/redis/streams.ts", 'import { x } from "../redis_keys.ts"; import { y } from "../../core/errors.ts";'],
  ["src/engines/redis.ts", 'const { createClient } = await import("@redis/client");'],
  ["src/graphql/builder.ts", 'import SchemaBuilder from "@pothos/core"; import { GraphQLError } from "graphql";'],
  ["src/graphql/live.ts", 'import { AsyncLocalStorage } from "node:async_hooks";'],
  ["src/transports/http.ts", 'import { createYoga } from "graphql-yoga"; import { mask } from "../graphql/errors.ts";'],
  ["src/transports/http.ts", 'import type { GraphQLSchema } from "graphql";'],
  ["src/transports/http.ts", 'import { type GraphQLError, type GraphQLSchema } from "graphql";'],
  ["src/transports/http.ts", 'export type { GraphQLSchema } from "graphql"; type E = import("graphql").GraphQLError;'],
  ["src/transports/websocket.ts", 'import { makeServer } from "graphql-ws"; import { WebSocketServer } from "ws";'],
  [
    "src/transports/identify.ts",
    'import { getCookies } from "@std/http/cookie"; import { Buffer } from "node:buffer";',
  ],
  ["src/transports/console_page.ts", 'import page from "../console/page.html" with { type: "text" };'],
  ["src/transports/console_page.ts", 'import script from "../console/dist/console.js" with { type: "text" };'],
  ["src/transports/client_script.ts", 'import script from "../dist/client.js" with { type: "text" };'],
  ["src/transports/graphiql.ts", 'await import("@graphql-yoga/render-graphiql/graphiql");'],
  ["src/console/connection.ts", 'import { createClient } from "graphql-ws/client";'],
  ["src/console/main.ts", 'import { find } from "./element.ts";'],
  ["src/telemetry/log.ts", 'import { getTextFormatter } from "@logtape/logtape";'],
  ["src/auth/jwt.ts", 'import { jwtVerify } from "jose";'],
  ["src/create_rooms.ts", 'import { createHttp } from "./transports/http.ts"; import page from "./console/page.html";'],
  ["src/main.ts", 'import { createRooms } from "./create_rooms.ts"; import { createLog } from "./telemetry/log.ts";'],
  ["src/options.ts", 'import type { Scope } from "./core/auth.ts"; import { check } from "./check_options.ts";'],
  ["src/settings.ts", 'import { parseArgs } from "@std/cli/parse-args"; import { DEFAULTS } from "./options.ts";'],
  ["src/version.ts", 'import config from "../deno.json" with { type: "json" };'],
  ["src/core/rooms.ts", 'export const ROOMS = 1; const text = "graphql-yoga";'],
  [
    "tests/core/rooms_test.ts",
    'import { makeServer } from "graphql-ws"; import { Rooms } from "../../src/core/rooms.ts";',
  ],
  ["bench/fan_out.ts", 'import { Server } from "npm:socket.io@4.8.4";'],
];

for (const [file, source] of ALLOWED) {
  Deno.test(`dependency-arrow allows ${source} in ${file}`, () => {
    assertEquals(lint(file, source), []);
  });
}

const FORBIDDEN: readonly (readonly [file: string, source: string, specifier: string, rule: string])[] = [
  ["src/core/a.ts", 'import { x } from "../engines/memory.ts";', "../engines/memory.ts", "nothing outside itself"],
  [
    "src/core/a.ts",
    'import type { Context } from "../graphql/context.ts";',
    "../graphql/context.ts",
    "imports nothing outside itself",
  ],
  ["src/core/a.ts", 'import { Buffer } from "node:buffer";', "node:buffer", "src/core imports nothing outside itself"],
  ["src/core/a.ts", 'import { ulid } from "@std/ulid";', "@std/ulid", "src/core imports nothing outside itself"],
  ["src/core/a.ts", 'import type { GraphQLError } from "graphql";', "graphql", "imports nothing outside itself"],
  ["src/core/a.ts", 'import { SCOPES } from "../options.ts";', "../options.ts", "imports nothing outside itself"],
  [
    "src/core/deep/a.ts",
    'import { x } from "../../auth/open.ts";',
    "../../auth/open.ts",
    "imports nothing outside itself",
  ],
  ["src/core/a.ts", 'await import("../auth/open.ts");', "../auth/open.ts", "imports nothing outside itself"],
  ["src/core/a.ts", "await import(`../auth/open.ts`);", "../auth/open.ts", "imports nothing outside itself"],
  ["src/core/a.ts", 'type X = import("../auth/open.ts").X;', "../auth/open.ts", "imports nothing outside itself"],
  ["src/core/a.ts", 'export { x } from "../auth/open.ts";', "../auth/open.ts", "imports nothing outside itself"],
  ["src/core/a.ts", 'export * from "../auth/open.ts";', "../auth/open.ts", "imports nothing outside itself"],
  ["src/core/a.ts", 'import "../auth/open.ts";', "../auth/open.ts", "imports nothing outside itself"],
  ["src/engines/a.ts", 'import { x } from "../graphql/live.ts";', "../graphql/live.ts", "only engines, core"],
  ["src/graphql/a.ts", 'import { x } from "../transports/http.ts";', "../transports/http.ts", "only graphql, core"],
  ["src/transports/a.ts", 'import { x } from "../auth/open.ts";', "../auth/open.ts", "only transports, graphql, core"],
  ["src/telemetry/a.ts", 'import { x } from "../create_rooms.ts";', "../create_rooms.ts", "only telemetry, core"],
  ["src/auth/a.ts", 'import { x } from "../../tests/support/a.ts";', "../../tests/support/a.ts", "nothing outside src"],
  ["src/auth/a.ts", 'import { x } from "/src/core/a.ts";', "/src/core/a.ts", "nothing outside src"],
  [
    "src/auth/a.ts",
    'import config from "../../deno.json" with { type: "json" };',
    "../../deno.json",
    "nothing outside src",
  ],
  ["src/console/a.ts", 'import { x } from "../core/a.ts";', "../core/a.ts", "imports nothing outside itself"],
  ["src/console/a.ts", 'import { makeServer } from "graphql-ws";', "graphql-ws", "imports nothing outside itself"],
  ["src/console/a.ts", 'import { parse } from "graphql";', "graphql", "imports nothing outside itself"],
  ["src/console/a.ts", 'import { ulid } from "@std/ulid";', "@std/ulid", "imports nothing outside itself"],
  ["src/transports/a.ts", 'import "../console/main.ts";', "../console/main.ts", "only transports, graphql, core"],
  ["src/graphql/a.ts", 'import x from "../console/page.html";', "../console/page.html", "only graphql, core"],
  ["src/client.ts", 'import { x } from "./core/cursor.ts";', "./core/cursor.ts", "imports nothing outside itself"],
  ["src/client.ts", 'import { createClient } from "graphql-ws";', "graphql-ws", "imports nothing outside itself"],
  [
    "src/client.ts",
    'import type { Client } from "graphql-ws/client";',
    "graphql-ws/client",
    "imports nothing outside itself",
  ],
  ["src/client.ts", 'import { Buffer } from "node:buffer";', "node:buffer", "imports nothing outside itself"],
  [
    "src/transports/a.ts",
    'import { resumable } from "../client.ts";',
    "../client.ts",
    "only transports, graphql, core",
  ],
  ["src/transports/a.ts", 'import x from "../dist/other.js";', "../dist/other.js", "only transports, graphql, core"],
  ["src/graphql/a.ts", 'import x from "../dist/client.js";', "../dist/client.js", "only graphql, core"],
  ["src/console/a.ts", 'import { resumable } from "../client.ts";', "../client.ts", "imports nothing outside itself"],
  ["src/create_rooms.ts", 'import { x } from "./main.ts";', "./main.ts", "imports of src only core"],
  ["src/create_rooms.ts", 'import { WebSocketServer } from "ws";', "ws", "the package belongs to src/transports"],
  ["src/options.ts", 'import { createLog } from "./telemetry/log.ts";', "./telemetry/log.ts", "only core, options.ts"],
  ["src/transports/a.ts", 'import { GraphQLError } from "graphql";', "graphql", "its types also to src/transports"],
  ["src/transports/a.ts", 'import { type A, b } from "graphql";', "graphql", "the package belongs to src/graphql"],
  ["src/transports/a.ts", 'import * as g from "graphql";', "graphql", "the package belongs to src/graphql"],
  ["src/transports/a.ts", 'import "graphql";', "graphql", "the package belongs to src/graphql"],
  ["src/engines/a.ts", 'import type { GraphQLSchema } from "graphql";', "graphql", "belongs to src/graphql"],
  ["src/graphql/a.ts", 'import { createYoga } from "graphql-yoga";', "graphql-yoga", "belongs to src/transports"],
  ["src/graphql/a.ts", 'import { x } from "graphql-ws/use/ws";', "graphql-ws/use/ws", "belongs to src/transports"],
  ["src/auth/a.ts", 'import { x } from "@logtape/logtape";', "@logtape/logtape", "belongs to src/telemetry"],
  ["src/auth/a.ts", 'import { x } from "left-pad";', "left-pad", "no folder in the dependency arrow yet"],
  ["src/graphql/a.ts", 'import { x } from "npm:graphql@17";', "npm:graphql@17", "bare names in code"],
  ["src/graphql/a.ts", 'import { x } from "https://a.example/x.ts";', "https://a.example/x.ts", "bare names in code"],
  ["src/plugins/a.ts", 'import { x } from "../core/a.ts";', "../core/a.ts", "no place in the dependency arrow yet"],
];

for (const [file, source, specifier, rule] of FORBIDDEN) {
  Deno.test(`dependency-arrow forbids ${source} in ${file}`, () => {
    const [message, ...more] = lint(file, source);

    assertEquals(more, []);
    assertStringIncludes(message ?? "nothing was reported", `Cannot import "${specifier}"`);
    assertStringIncludes(message!, rule);
  });
}

Deno.test("dependency-arrow forbids an import that is known only at run time", () => {
  assertEquals(lint("src/engines/a.ts", "await import(name);"), ["Cannot import what is known only at run time"]);
});

Deno.test("deno lint fails on a forbidden import, and only on it", async () => {
  const tree = await Deno.makeTempDir();
  try {
    for (const folder of ["tools/lint", "src/core", "src/engines"]) {
      await Deno.mkdir(`${tree}/${folder}`, { recursive: true });
    }
    await Deno.copyFile(`${ROOT}tools/lint/arrow.ts`, `${tree}/tools/lint/arrow.ts`);
    await Deno.writeTextFile(`${tree}/deno.json`, '{ "lint": { "plugins": ["./tools/lint/arrow.ts"] } }');
    await Deno.writeTextFile(`${tree}/src/engines/memory.ts`, 'export { x } from "../core/a.ts";\n');
    await Deno.writeTextFile(`${tree}/src/core/a.ts`, "export const x = 1;\n");
    const clean = await runLint(tree);

    await Deno.writeTextFile(`${tree}/src/core/a.ts`, 'export { x } from "../engines/memory.ts";\n');
    const dirty = await runLint(tree);

    assertEquals(clean.code, 0, clean.text);
    assertEquals(dirty.code, 1, dirty.text);
    assertStringIncludes(dirty.text, 'Cannot import "../engines/memory.ts" in src/core/a.ts');
    assertStringIncludes(dirty.text, "Found 1 problem");
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
});

Deno.test("deno.json has deno lint enforce the arrow", async () => {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));

  assertEquals(config.lint.plugins, ["./tools/lint/arrow.ts"]);
});

async function runLint(cwd: string): Promise<{ readonly code: number; readonly text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["lint"],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
