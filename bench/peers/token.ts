import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";

/** The secret that a server under test is given. */
export const TOKEN_SECRET = "what a server and the load on it know";

const HOUR_S = 3_600;
const HEADER = encode({ alg: "HS256" });

/** A token of a user, for an hour: made anew for each connection, as users have one each. */
export function createToken(userId: string): string {
  const signed = `${HEADER}.${encode({ sub: userId, exp: Math.floor(Date.now() / 1_000) + HOUR_S })}`;
  return `${signed}.${createHmac("sha256", TOKEN_SECRET).update(signed).digest("base64url")}`;
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
