import { CompactEncrypt } from "jose";
import { type Claims, encodePart, forgeToken, SECRET, signToken, type TestIssuer } from "./tokens.ts";

/** What becomes of a token: its user is let in, or it is refused, or it is told that it has expired. */
export type Verdict = "good" | "refused" | "expired";

/** One token and its verdict. */
export interface TokenCase {
  readonly name: string;
  /** Which server it is for: the one with the secret, or the one with the issuer's public keys. */
  readonly server: "secret" | "publicKeys";
  readonly token: string;
  readonly verdict: Verdict;
}

/** What tokens are made of. */
export interface TokenTableSource {
  /** Its keys are those of the server with public keys. */
  readonly issuer: TestIssuer;
  /** Somebody else's keys, under the same names. */
  readonly stranger: TestIssuer;
  /** The time on both servers, in milliseconds; their leeway is 30 s. */
  readonly nowMs: number;
  /** What both servers want as `iss` and `aud`. */
  readonly iss: string;
  readonly aud: string;
}

/** Every token that was thought of, good ones among them. */
export async function listTokens(source: TokenTableSource): Promise<readonly TokenCase[]> {
  return (await Promise.all([forgedTokens(source), foreignTokens(source), oddTokens(source), claimTokens(source)]))
    .flat();
}

function goodClaims({ nowMs, iss, aud }: TokenTableSource): Claims {
  const seconds = Math.floor(nowMs / 1_000);
  return { sub: "ann", iss, aud, iat: seconds, nbf: seconds, exp: seconds + 3_600 };
}

/** Signed by nobody, or with what everybody has. */
async function forgedTokens(source: TokenTableSource): Promise<readonly TokenCase[]> {
  const { issuer } = source;
  const claims = goodClaims(source);
  const good = await signToken(claims);
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const publicKey = await issuer.pem("RS256");
  const rsToken = await issuer.sign("RS256", claims);
  const cases: TokenCase[] = [];
  for (const alg of ["none", "None", "NONE", "nOnE"]) {
    for (const server of ["secret", "publicKeys"] as const) {
      cases.push({ name: `alg ${alg}, no signature`, server, token: forgeToken({ alg }, claims), verdict: "refused" });
    }
    cases.push(refused(`alg ${alg}, a signature`, forgeToken({ alg }, claims, signature)));
  }
  cases.push(
    { name: "signed with the secret", server: "secret", token: good, verdict: "good" },
    refused("an empty signature", `${header}.${payload}.`),
    refused("another secret", await signToken(claims, { secret: SECRET.toUpperCase() })),
    refused("a signature cut short", good.slice(0, -2)),
    refused("a signature with something behind it", `${good}AA`),
    refused("other claims under the signature", `${header}.${encodePart({ ...claims, sub: "eve" })}.${signature}`),
    refused("another header over the signature", `${encodePart({ alg: "HS512" })}.${payload}.${signature}`),
    refused("no alg", `${encodePart({ typ: "JWT" })}.${payload}.${signature}`),
    refused("alg as a list", `${encodePart({ alg: ["HS256"] })}.${payload}.${signature}`),
    refused("alg HS1", forgeToken({ alg: "HS1" }, claims, signature)),
    refused("a public key's alg for a secret", rsToken),
    {
      name: "HS256 with the public key as secret",
      server: "publicKeys",
      token: await signToken(claims, { secret: publicKey, header: { kid: "RS256" } }),
      verdict: "refused",
    },
    {
      name: "HS256 with the public key set as secret",
      server: "publicKeys",
      token: await signToken(claims, { secret: issuer.keySet }),
      verdict: "refused",
    },
    { name: "HS256 with a secret, for public keys", server: "publicKeys", token: good, verdict: "refused" },
  );
  for (const alg of ["HS384", "HS512"]) {
    cases.push({
      name: `${alg} with the secret`,
      server: "secret",
      token: await signToken(claims, { header: { alg } }),
      verdict: "good",
    });
  }
  return cases;
}

/** Signed with the wrong key pair, or with what their own header says. */
async function foreignTokens(source: TokenTableSource): Promise<readonly TokenCase[]> {
  const { issuer, stranger } = source;
  const claims = goodClaims(source);
  const [strangeKey] = (JSON.parse(stranger.keySet) as { keys: Record<string, unknown>[] }).keys;
  const jwk = strangeKey as never;
  const by = async (
    name: string,
    verdict: Verdict,
    token: Promise<string>,
  ): Promise<TokenCase> => ({ name, server: "publicKeys", token: await token, verdict });
  return await Promise.all([
    by("RS256", "good", issuer.sign("RS256", claims)),
    by("RS512 with the same key", "good", issuer.sign("RS256", claims, { alg: "RS512" })),
    by("PS256 with the same key", "good", issuer.sign("RS256", claims, { alg: "PS256" })),
    by("ES256", "good", issuer.sign("ES256", claims)),
    by("EdDSA", "good", issuer.sign("EdDSA", claims)),
    by("no kid, one key of the type", "good", issuer.sign("ES256", claims, { kid: undefined as never })),
    by("a stranger's RS256 key under the same kid", "refused", stranger.sign("RS256", claims)),
    by("a stranger's ES256 key under the same kid", "refused", stranger.sign("ES256", claims)),
    by("an unknown kid", "refused", issuer.sign("RS256", claims, { kid: "nobody's" })),
    by("a kid that is a path", "refused", issuer.sign("RS256", claims, { kid: "../../../dev/null" })),
    by("a kid that is SQL", "refused", issuer.sign("RS256", claims, { kid: "' UNION SELECT 'key" })),
    by("the kid of another type of key", "refused", issuer.sign("RS256", claims, { kid: "ES256" })),
    by("a stranger's key, embedded as jwk", "refused", stranger.sign("RS256", claims, { jwk, kid: "x" })),
    by("a stranger's key, embedded under a known kid", "refused", stranger.sign("RS256", claims, { jwk })),
    by("a stranger's key set as jku", "refused", stranger.sign("RS256", claims, { jku: "http://127.0.0.1:9/keys" })),
    by("a stranger's certificate as x5u", "refused", stranger.sign("RS256", claims, { x5u: "http://127.0.0.1:9/c" })),
  ]);
}

/** No compact JWS of a JSON object. */
async function oddTokens(source: TokenTableSource): Promise<readonly TokenCase[]> {
  const claims = goodClaims(source);
  const good = await signToken(claims);
  const secretBytes = new TextEncoder().encode(SECRET).slice(0, 32);
  const encrypted = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(secretBytes);
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const critical = { alg: "HS256", crit: ["exp"], exp: 1 };
  return [
    refused("JWE in place of JWS", encrypted),
    refused("an unknown critical header", `${encodePart(critical)}.${payload}.${signature}`),
    refused("an empty crit", `${encodePart({ alg: "HS256", crit: [] })}.${payload}.${signature}`),
    refused("an unencoded payload", await signRaw({ alg: "HS256", b64: false, crit: ["b64"] }, JSON.stringify(claims))),
    refused("one part", "abc"),
    refused("two parts", `${header}.${payload}`),
    refused("four parts", `${good}.${signature}`),
    refused("dots alone", ".."),
    refused("a header that is no base64", `!!!.${payload}.${signature}`),
    refused("a header that is no JSON", `${encodePart("{")}.${payload}.${signature}`),
    refused("a header that is an array", `${encodePart([])}.${payload}.${signature}`),
    refused("claims that are no JSON", await signRaw({ alg: "HS256" }, encodePart("{sub"))),
    refused("claims that are an array", await signRaw({ alg: "HS256" }, encodePart([claims]))),
    refused("claims that are null", await signRaw({ alg: "HS256" }, encodePart("null"))),
    refused("a word", "undefined"),
    refused("longer than is looked at", await signToken({ ...claims, filler: "x".repeat(6_000) })),
  ];
}

/** Signed as it should be, with claims that should not be. */
async function claimTokens(source: TokenTableSource): Promise<readonly TokenCase[]> {
  const { nowMs, iss, aud } = source;
  const now = Math.floor(nowMs / 1_000);
  const claims = goodClaims(source);
  const cases: readonly (readonly [name: string, changes: Claims, verdict: Verdict])[] = [
    ["no sub", { sub: undefined }, "refused"],
    ["sub a number", { sub: 7 }, "refused"],
    ["sub empty", { sub: "" }, "refused"],
    ["sub with a space", { sub: "an n" }, "refused"],
    ["sub too long", { sub: "a".repeat(129) }, "refused"],
    ["sub a guest's", { sub: "guest-1" }, "refused"],
    ["sub the server's", { sub: "server" }, "refused"],
    ["no iss", { iss: undefined }, "refused"],
    ["another iss", { iss: `${iss}/` }, "refused"],
    ["iss a list", { iss: [iss] }, "refused"],
    ["no aud", { aud: undefined }, "refused"],
    ["another aud", { aud: "others" }, "refused"],
    ["aud that holds ours", { aud: ["others", aud] }, "good"],
    ["aud that begins like ours", { aud: `${aud}x` }, "refused"],
    ["no exp", { exp: undefined }, "refused"],
    ["exp a text", { exp: String(now + 60) }, "refused"],
    ["exp with a fraction", { exp: now + 60.5 }, "refused"],
    ["exp 2^53", { exp: 2 ** 53 }, "refused"],
    ["exp 1e300", { exp: 1e300 }, "refused"],
    ["exp negative", { exp: -1 }, "expired"],
    ["exp 0", { exp: 0 }, "expired"],
    ["exp null", { exp: null }, "refused"],
    ["expired 29 s ago, within the leeway", { exp: now - 29 }, "good"],
    ["expired 30 s ago", { exp: now - 30 }, "expired"],
    ["expired 31 s ago", { exp: now - 31 }, "expired"],
    ["expired, and of another issuer", { exp: now - 100, iss: "others" }, "refused"],
    ["valid in 30 s, within the leeway", { nbf: now + 30 }, "good"],
    ["valid in 31 s", { nbf: now + 31 }, "refused"],
    ["nbf a text", { nbf: String(now) }, "refused"],
    ["issued in 30 s, within the leeway", { iat: now + 30 }, "good"],
    ["issued in 31 s", { iat: now + 31 }, "refused"],
    ["iat a text", { iat: "now" }, "refused"],
    ["no iat and no nbf", { iat: undefined, nbf: undefined }, "good"],
    ["scope a list", { scope: ["admin"] }, "refused"],
    ["scopes a text", { scopes: "admin" }, "refused"],
    ["scopes of numbers", { scopes: [1] }, "refused"],
    ["rooms a list", { rooms: ["lobby"] }, "refused"],
    ["rooms null", { rooms: null }, "refused"],
    ["a room's rights a text", { rooms: { lobby: "read" } }, "refused"],
    ["rights nobody knows", { rooms: { lobby: ["read", "paint"] } }, "good"],
    ["a room everywhere", { rooms: { "*": ["read"] } }, "good"],
    ["scopes nobody knows", { scope: "openid profile", scopes: ["x"] }, "good"],
  ];
  return await Promise.all(cases.map(async ([name, changes, verdict]) => ({
    name,
    server: "secret" as const,
    token: await signToken({ ...claims, ...changes }),
    verdict,
  })));
}

function refused(name: string, token: string): TokenCase {
  return { name, server: "secret", token, verdict: "refused" };
}

/** A payload as it is, signed with the secret. */
async function signRaw(header: unknown, payload: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(SECRET), algorithm, false, ["sign"]);
  const signed = `${encodePart(header)}.${payload}`;
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(signed)));
  return `${signed}.${signature.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}
