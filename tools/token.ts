/** Prints a token for trying things out, signed with JWT_SECRET: `deno task token ann`. */
import { parseArgs } from "@std/cli/parse-args";
import { SignJWT } from "jose";
import { readClaims } from "../src/auth/claims.ts";
import { SECRET_RULE } from "../src/check_options.ts";

const USAGE = `Usage: deno task token <user> [flags], with the server's JWT_SECRET in the environment

  --scope <scopes>   of broadcast, moderate and admin, with spaces between
  --rooms <JSON>     what the user may do where, as '{"team-*":["read","send","join"]}' (default: all, anywhere)
  --minutes <n>      how long it is good (default: 60)
`;
const SCOPES = ["broadcast", "moderate", "admin"];

const { _: users, scope, rooms, minutes = "60", help } = parseArgs(Deno.args, {
  string: ["_", "scope", "rooms", "minutes"],
  boolean: ["help"],
  alias: { h: "help" },
  unknown: (arg, flag) => flag === undefined || fail(`Cannot use "${arg}": no such flag`),
});
if (help) {
  console.log(USAGE.trimEnd());
  Deno.exit(0);
}
const secret = Deno.env.get("JWT_SECRET") ?? "";
if (secret === "") fail("Cannot sign without JWT_SECRET: set the same one as for the server");
if (!SECRET_RULE.accepts(secret)) fail(`Cannot use JWT_SECRET: ${SECRET_RULE.requirement}`);
if (users.length !== 1) fail("Cannot sign for nobody or for several: name one user");
if (!/^[1-9]\d{0,6}$/.test(String(minutes))) fail(`Cannot use "${minutes}" as --minutes: must be a number from 1`);
const unknown = String(scope ?? "").split(" ").find((one) => one !== "" && !SCOPES.includes(one));
if (unknown !== undefined) fail(`Cannot use "${unknown}" as --scope: must be of ${SCOPES.join(", ")}`);

const nowMs = Date.now();
const claims = {
  sub: String(users[0]),
  exp: Math.floor(nowMs / 1_000) + 60 * Number(minutes),
  ...(scope === undefined ? {} : { scope }),
  ...(rooms === undefined ? {} : { rooms: readJson(String(rooms)) }),
};
try {
  // As the server will: what it would refuse is not to be found out later.
  readClaims(claims, { nowMs, leewayMs: 0 });
} catch (error) {
  fail(`Cannot sign this: ${error instanceof Error ? error.message : error}`);
}
console.log(await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret)));

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    fail(`Cannot use ${JSON.stringify(text)} as --rooms: must be JSON`);
  }
}

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE.trimEnd()}`);
  Deno.exit(2);
}
