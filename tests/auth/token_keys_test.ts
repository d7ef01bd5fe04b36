import { assertEquals, assertRejects } from "@std/assert";
import { publicKeys } from "../../src/auth/token_keys.ts";
import { createIssuer, type KeyName, SECRET } from "../support/tokens.ts";

const NAMES: readonly KeyName[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];

Deno.test("publicKeys() reads PEM, a JWK and a JWK set, of every type of key", async () => {
  const issuer = await createIssuer(...NAMES);
  const keys: Record<string, unknown>[] = JSON.parse(issuer.keySet).keys;

  for (const [at, name] of NAMES.entries()) {
    for (const text of [await issuer.pem(name), `\n${await issuer.pem(name)}\n`, JSON.stringify(keys[at])]) {
      const { find } = await publicKeys(text);
      const found = await find({ alg: name }, {} as never);
      assertEquals(found.map(({ type }) => type), ["public"], name);
    }
  }
  const { find } = await publicKeys(issuer.keySet);
  assertEquals((await find({ alg: "ES384", kid: "ES384" }, {} as never)).length, 1);
  assertEquals(await find({ alg: "ES384", kid: "RS256" }, {} as never), []);
  assertEquals(await find({ alg: "HS256" }, {} as never), []);
});

Deno.test("publicKeys() finds every key that may have signed, when none is named", async () => {
  const keys = await Promise.all([createIssuer("ES256"), createIssuer("ES256")]);
  const sets = keys.map(({ keySet }) => JSON.parse(keySet).keys[0]);

  const { find } = await publicKeys(JSON.stringify({ keys: sets }));

  assertEquals((await find({ alg: "ES256" }, {} as never)).length, 2);
});

const REFUSED: Readonly<Record<string, string>> = {
  "nothing": "",
  "a word": "keys",
  "JSON that is no object": "[]",
  "a set without keys": '{"keys":[]}',
  "a set of no objects": '{"keys":["x"]}',
  "a secret": JSON.stringify({ kty: "oct", k: btoa(SECRET) }),
  "a private key": JSON.stringify({ kty: "OKP", crv: "Ed25519", x: "AA", d: "AA" }),
  "PEM that is cut short": "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
};

for (const [name, text] of Object.entries(REFUSED)) {
  Deno.test(`publicKeys() refuses ${name}`, async () => {
    await assertRejects(() => publicKeys(text), TypeError, "Cannot use these public keys: must be one key as PEM");
  });
}

Deno.test("a public key without an id is tried with tokens that name one, as issuers' tokens do", async () => {
  const issuer = await createIssuer("ES256");
  const { find } = await publicKeys(await issuer.pem("ES256"));

  assertEquals((await find({ alg: "ES256", kid: "2026-11" }, {} as never)).length, 1);
});

Deno.test("publicKeys() says what to do with a private key", async () => {
  for (const type of ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]) {
    const text = `-----BEGIN ${type}-----\nMFkw\n-----END ${type}-----`;
    await assertRejects(() => publicKeys(text), TypeError, "Cannot use a private key: must be its public half");
  }
});

Deno.test("publicKeys() refuses RSA keys that are too short to be used", async () => {
  const { publicKey } = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 1_024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    true,
    ["sign", "verify"],
  );
  const jwk = JSON.stringify(await crypto.subtle.exportKey("jwk", publicKey));

  await assertRejects(() => publicKeys(jwk), TypeError, "an RSA key must have at least 2048 bits");
});
