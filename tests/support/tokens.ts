import { type CompactJWSHeaderParameters, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";

/** A secret that tokens are signed with in tests. */
export const SECRET = "a secret of thirty-two bytes or more";

/** The names of the key pairs: the algorithm each is made for. */
export type KeyName = "RS256" | "ES256" | "ES384" | "ES512" | "EdDSA";

/** Keys of an issuer, and what a server needs of them. */
export interface TestIssuer {
  /** The public keys as a JWK set, each with its name as `kid`. */
  readonly keySet: string;
  /** One of them as PEM. */
  pem(name: KeyName): Promise<string>;
  /** Signs claims; `header` may name another algorithm of the same type of key. */
  sign(name: KeyName, claims: Claims, header?: Partial<CompactJWSHeaderParameters>): Promise<string>;
}

/** What a token says. */
export type Claims = Readonly<Record<string, unknown>>;

/** Makes an issuer with a key pair for each of the names. */
export async function createIssuer(...names: readonly KeyName[]): Promise<TestIssuer> {
  const pairs = new Map(
    await Promise.all(names.map(async (name) => {
      const { publicKey, privateKey } = await generateKeyPair(name, { extractable: true });
      // A key as it is can be used with one algorithm alone.
      return [name, { publicKey, privateKey: await exportJWK(privateKey) }] as const;
    })),
  );
  const keys = await Promise.all(
    [...pairs].map(async ([name, { publicKey }]) => ({ ...await exportJWK(publicKey), kid: name })),
  );
  return {
    keySet: JSON.stringify({ keys }),
    pem: (name) => exportSPKI(pairs.get(name)!.publicKey),
    async sign(name, claims, changes = {}) {
      const header = { alg: name, kid: name, ...changes };
      const key = await importJWK(pairs.get(name)!.privateKey, header.alg);
      return await new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);
    },
  };
}

/** Signs claims with the secret, or with another one. */
export function signToken(claims: Claims, { secret = SECRET, header = {} }: SignOptions = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256", ...header }).sign(
    new TextEncoder().encode(secret),
  );
}

/** What else than claims a token is made of. */
export interface SignOptions {
  readonly secret?: string;
  readonly header?: Partial<CompactJWSHeaderParameters>;
}

/** A token of any three texts, encoded but signed by nobody. */
export function forgeToken(header: unknown, claims: unknown, signature = ""): string {
  return `${encodePart(header)}.${encodePart(claims)}.${signature}`;
}

/** Base64url of a text, or of the JSON of anything else. */
export function encodePart(part: unknown): string {
  const text = typeof part === "string" ? part : JSON.stringify(part);
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** An hour from that moment, as claims tell time. */
export function inAnHour(nowMs: number = Date.now()): number {
  return Math.floor(nowMs / 1_000) + 3_600;
}
