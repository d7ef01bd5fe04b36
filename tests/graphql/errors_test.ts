import { GraphQLError, GraphQLObjectType, GraphQLSchema } from "graphql";
import { GraphQLInt, GraphQLNonNull, GraphQLScalarType, GraphQLString } from "graphql";
import { assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { ERROR_CODES, RealtimeError } from "../../src/core/errors.ts";
import { createErrorMask, FAULTS, withCode } from "../../src/graphql/errors.ts";
import { RecordingTelemetry } from "../support/recording_telemetry.ts";
import { openSchemaWorld } from "../support/schema_world.ts";

const SECRET = "postgres://admin:hunter2@db";
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Things a resolver may throw that nobody meant for clients. */
const BUGS: Readonly<Record<string, () => unknown>> = {
  "an Error": () => new Error(SECRET),
  "an Error with a cause": () => new Error("Cannot save", { cause: new Error(SECRET) }),
  "an Error whose cause is a refusal": () => new Error(SECRET, { cause: new RealtimeError("FORBIDDEN", SECRET) }),
  "a text": () => SECRET,
  "undefined": () => undefined,
  "an object": () => ({ message: SECRET, extensions: { code: "FORBIDDEN", secret: SECRET } }),
  "an Error that looks like another service's answer": () =>
    Object.assign(new Error(SECRET), { extensions: { code: "FORBIDDEN", secret: SECRET } }),
  "an Error with the name of a refusal": () =>
    Object.assign(new Error(SECRET), { name: "RealtimeError", code: "FORBIDDEN" }),
  "a GraphQLError without a code": () => new GraphQLError(SECRET),
  "a GraphQLError with an unknown code": () => new GraphQLError(SECRET, { extensions: { code: "P2002" } }),
  "a GraphQLError around an Error": () => new GraphQLError(SECRET, { originalError: new Error(SECRET) }),
  "an internal GraphQLError": () => new GraphQLError(SECRET, { extensions: { code: "INTERNAL_SERVER_ERROR" } }),
  "an internal RealtimeError": () => new RealtimeError("INTERNAL_SERVER_ERROR", SECRET),
};

for (const [what, thrown] of Object.entries(BUGS)) {
  Deno.test(`G10 ${what} thrown by a resolver reaches the client as an id and nothing more`, async () => {
    await using world = await openSchemaWorld({
      schema: schemaOf(() => {
        throw thrown();
      }),
    });

    const { errors = [], data } = await world.run("{ field }", world.connect("ann"));

    assertEquals(data, { field: null });
    const { message, path, locations, extensions = {} } = errors[0]!.toJSON();
    assertEquals({ message, path, locations }, {
      message: "Internal server error",
      path: ["field"],
      locations: [{ line: 1, column: 3 }],
    });
    assertEquals(Object.keys(extensions), ["code", "errorId"]);
    assertEquals(extensions["code"], "INTERNAL_SERVER_ERROR");
    assertNotMatch(Deno.inspect(errors[0]), /hunter2/);
  });
}

Deno.test("an internal error is logged once, with the id the client got and everything it said", () => {
  const telemetry = new RecordingTelemetry();
  const mask = createErrorMask(telemetry);

  const { extensions } = mask(new Error("Cannot save", { cause: new Error(SECRET) }));

  assertEquals(telemetry.events, ["graphql.internal_error"]);
  const [{ level, fields }] = telemetry.records as [typeof telemetry.records[number]];
  assertEquals([level, fields["errorId"]], ["error", extensions["errorId"] as string]);
  assertMatch(String(fields["errorId"]), ULID);
  assertMatch(String(fields["error"]), /Cannot save/);
  assertMatch(String(fields["cause"]), /hunter2/);
});

Deno.test("masking what has been masked changes nothing and logs nothing", () => {
  const telemetry = new RecordingTelemetry();
  const mask = createErrorMask(telemetry);

  for (const error of [new Error(SECRET), new RealtimeError("FORBIDDEN", "No"), new GraphQLError("Bad variable")]) {
    const masked = mask(error);
    const logged = telemetry.records.length;

    assertStrictEquals(mask(masked), masked);
    assertEquals(telemetry.records.length, logged);
  }
});

Deno.test("a refusal keeps its message, its place and its numbers, and loses its cause", async () => {
  await using world = await openSchemaWorld({
    schema: schemaOf(() => {
      throw new RealtimeError("RATE_LIMITED", "Cannot send: too fast", {
        retryAfterMs: 250,
        limit: 50,
        cause: new Error(SECRET),
      });
    }),
  });

  const { errors = [] } = await world.run("{ field }", world.connect("ann"));

  assertEquals(errors[0]!.toJSON(), {
    message: "Cannot send: too fast",
    path: ["field"],
    locations: [{ line: 1, column: 3 }],
    extensions: { code: "RATE_LIMITED", retryAfterMs: 250, limit: 50 },
  });
  assertNotMatch(Deno.inspect(errors[0]), /hunter2/);
});

Deno.test("a refusal without numbers has a code and nothing else", () => {
  const error = createErrorMask(new RecordingTelemetry())(new RealtimeError("FORBIDDEN", "Cannot read"));

  assertEquals(error.toJSON(), { message: "Cannot read", extensions: { code: "FORBIDDEN" } });
});

Deno.test("a refusal is logged by whose fault it is: a caller's quietly, the server's with its cause", () => {
  const telemetry = new RecordingTelemetry();
  const mask = createErrorMask(telemetry);
  const shown = ERROR_CODES.filter((code) => code !== "INTERNAL_SERVER_ERROR");

  for (const code of shown) mask(new RealtimeError(code, "No", { cause: new Error("redis is gone") }));

  assertEquals(
    telemetry.records.map(({ level, fields }) => [level, fields["code"]]),
    shown.map((code) => [FAULTS[code] === "server" ? "warn" : "debug", code]),
  );
  assertMatch(String(telemetry.records[0]!.fields["cause"]), /redis is gone/);
});

Deno.test("a GraphQLError that somebody gave one of the codes is shown as it is", async () => {
  await using world = await openSchemaWorld({
    schema: schemaOf(() => {
      throw new GraphQLError("Not on a Sunday", { extensions: { code: "FORBIDDEN", day: 0 } });
    }),
  });

  const { errors = [] } = await world.run("{ field }", world.connect("ann"));

  assertEquals([errors[0]!.message, errors[0]!.extensions], ["Not on a Sunday", { code: "FORBIDDEN", day: 0 }]);
});

Deno.test("what graphql-js says about the caller's own words is shown with a code", async () => {
  await using world = await openSchemaWorld();
  const ann = world.connect("ann");
  const send =
    'mutation ($e: Boolean, $d: JSON) { sendMessage(room: "r", content: "", excludeSelf: $e, data: $d) { success } }';
  const asked: [string, Record<string, unknown>, string, RegExp][] = [
    ["{ viewer { id }", {}, "GRAPHQL_PARSE_FAILED", /Syntax Error/],
    ["{ viewer { nothing } }", {}, "GRAPHQL_VALIDATION_FAILED", /Cannot query field/],
    ["query ($r: ID!) { room(room: $r) { id } }", {}, "BAD_USER_INPUT", /"\$r"/],
    ["query ($r: ID!) { room(room: $r) { id } }", { r: {} }, "BAD_USER_INPUT", /"\$r"/],
    [
      'query ($c: Cursor) { room(room: "r") { members(after: $c) { totalCount } } }',
      { c: 1 },
      "BAD_USER_INPUT",
      /Cursor/,
    ],
    ['{ room(room: "r") { members(after: ABC) { totalCount } } }', {}, "GRAPHQL_VALIDATION_FAILED", /Cursor/],
    [send, { e: null }, "BAD_USER_INPUT", /excludeSelf/],
  ];

  for (const [query, variables, code, message] of asked) {
    const { codes, errors = [] } = await world.run(query, ann, variables);
    assertEquals(codes, [code], query);
    assertMatch(errors[0]!.message, message);
  }
  assertEquals(world.telemetry.events, []);
});

Deno.test("G10 what a resolver returned wrongly is not blamed on the caller, nor shown", async () => {
  await using world = await openSchemaWorld({ schema: schemaOf(() => SECRET) });

  for (const field of ["number", "required"]) {
    const { errors, codes } = await world.run(`{ ${field} }`, world.connect("ann"));

    assertEquals(codes, ["INTERNAL_SERVER_ERROR"]);
    assertNotMatch(JSON.stringify(errors), /hunter2|represent|non-nullable/);
  }
});

Deno.test("G10 a scalar that breaks on an input is a bug, and keeps its words to itself", async () => {
  await using world = await openSchemaWorld({ schema: schemaOf(() => "") });

  const { errors = [], codes } = await world.run("query ($b: Broken) { field(b: $b) }", world.connect("ann"), { b: 1 });

  assertEquals(codes, ["INTERNAL_SERVER_ERROR"]);
  assertNotMatch(JSON.stringify(errors), /hunter2/);
});

Deno.test("withCode keeps place and message and leaves what caused it behind", () => {
  const coded = withCode(
    new GraphQLError("Bad", {
      path: ["a", 0],
      originalError: new Error(SECRET),
      extensions: { http: { status: 400 } },
    }),
    "BAD_USER_INPUT",
  );

  assertEquals(coded.toJSON(), {
    message: "Bad",
    path: ["a", 0],
    extensions: { http: { status: 400 }, code: "BAD_USER_INPUT" },
  });
  assertEquals(coded.originalError, undefined);
  assertNotMatch(coded.stack ?? "", /hunter2/);
});

/** A schema of a program's own, whose fields do what the test says. */
function schemaOf(resolve: () => unknown): GraphQLSchema {
  const broken = new GraphQLScalarType({
    name: "Broken",
    coerceInputValue() {
      throw new Error(SECRET);
    },
  });
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: "Query",
      fields: {
        field: { type: GraphQLString, args: { b: { type: broken } }, resolve },
        number: { type: GraphQLInt, resolve },
        required: { type: new GraphQLNonNull(GraphQLString), resolve: () => null },
      },
    }),
  });
}
