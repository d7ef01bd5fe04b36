/** Prints a token for trying things out, signed with JWT_SECRET and good for an hour: `deno task token ann`. */
import { parseArgs } from "@std/cli/parse-args";
import { SignJWT } from "jose";

const USAGE = 'Usage: JWT_SECRET=... deno task token <user> [--scope "broadcast moderate"] [--minutes 60]';

const { _: [user], scope, minutes: given } = parseArgs(Deno.args, { string: ["_", "scope", "minutes"] });
const minutes = String(given ?? 60);
const secret = Deno.env.get("JWT_SECRET") ?? "";
if (secret === "" || user === undefined || !/^[1-9]\d{0,6}$/.test(minutes)) {
  console.error(USAGE);
  Deno.exit(2);
}
const token = await new SignJWT(scope === undefined ? {} : { scope })
  .setProtectedHeader({ alg: "HS256" })
  .setSubject(String(user))
  .setExpirationTime(`${minutes} minutes`)
  .sign(new TextEncoder().encode(secret));
console.log(token);
