import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, exportJWK, importSPKI, type JWK } from "jose";
import type { CompactJWSHeaderParameters, FetchImplementation, FlattenedJWSInput, JSONWebKeySet } from "jose";

/** The keys that tokens are checked with, and what each may have been used for. */
export interface TokenKeys {
  /** The `alg` headers that are let through at all (RFC 7518 section 3.1, RFC 8037). */
  readonly algorithms: readonly string[];
  /**
   * The keys that may have signed a token with this header; none when there is none.
   *
   * @throws {KeysUnavailable} when that cannot be told now
   */
  find(header: CompactJWSHeaderParameters, token: FlattenedJWSInput): Promise<readonly CryptoKey[]>;
}

/** Says that the keys cannot be had for now; nothing is said of any token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

const SECRET_ALGORITHMS: readonly string[] = ["HS256", "HS384", "HS512"];
const PUBLIC_KEY_ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512"],
  // The second is what RFC 9864 calls the first with this curve.
  ...["EdDSA", "Ed25519"],
];
/** One of each type of key: jose wants to know what a PEM file's key is for. */
const KEY_TYPES: readonly string[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];
/** Base64url characters of 2048 bits: shorter RSA keys sign nothing (RFC 7518 section 3.3). */
const LEAST_MODULUS_LENGTH = 342;
/** How long fetched keys are used: a key that was taken out works no longer after it. */
const KEYS_AGE_MS = 300_000;
/** How long no token with an unknown key makes them be fetched again. */
const KEYS_COOLDOWN_MS = 30_000;
const FETCH_TIMEOUT_MS = 5_000;
/** How long they are not asked for again, whatever came of it: while it is nothing, jose would for each token. */
const FETCH_PAUSE_MS = 5_000;

/** The secret that whoever makes the tokens has too. */
export function secretKeys(secret: string): TokenKeys {
  const imported = new Map<string, Promise<CryptoKey>>();
  const bytes = new TextEncoder().encode(secret);
  return {
    algorithms: SECRET_ALGORITHMS,
    async find({ alg }) {
      let key = imported.get(alg);
      if (key === undefined) {
        const algorithm = { name: "HMAC", hash: `SHA-${alg.slice(2)}` };
        key = crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
        imported.set(alg, key);
      }
      return [await key];
    },
  };
}

/**
 * Public keys as a text: PEM (SubjectPublicKeyInfo), a JWK, or a JWK set.
 *
 * @throws {TypeError} when it is none of them
 */
export async function publicKeys(text: string): Promise<TokenKeys> {
  const set = await readKeySet(text);
  const find = createLocalJWKSet(set);
  // Issuers put a key's id into tokens, and a PEM file has no place for it: without any ids, all keys may fit.
  const haveIds = set.keys.some(({ kid }) => kid !== undefined);
  return {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    find: ({ kid, ...header }, token) =>
      findAll(find, haveIds && kid !== undefined ? { ...header, kid } : header, token),
  };
}

/** The JWK set at a URL, fetched when it is first needed and then now and again. */
export function remoteKeys(url: string): TokenKeys {
  const find = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: KEYS_AGE_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
    [customFetch]: createPacedFetch(),
  });
  return { algorithms: PUBLIC_KEY_ALGORITHMS, find: (header, token) => findAll(find, header, token) };
}

/** Fetches, but not again so soon. jose has one fetch at a time. */
function createPacedFetch(): FetchImplementation {
  let endedMs = -Infinity;
  return async (url, options) => {
    // By the clock that jose goes by, which may be set back.
    const passedMs = Date.now() - endedMs;
    if (passedMs >= 0 && passedMs < FETCH_PAUSE_MS) throw new Error("Cannot fetch the keys again so soon");
    try {
      return await fetch(url, options);
    } finally {
      endedMs = Date.now();
    }
  };
}

type FindKey = (header: CompactJWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

async function findAll(
  find: FindKey,
  header: CompactJWSHeaderParameters,
  token: FlattenedJWSInput,
): Promise<readonly CryptoKey[]> {
  try {
    return [await find(header, token)];
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return await Array.fromAsync(error);
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported) return [];
    throw new KeysUnavailable("Cannot have the keys that tokens are checked with", { cause: error });
  }
}

async function readKeySet(text: string): Promise<JSONWebKeySet> {
  const keys = /-----BEGIN /.test(text) ? [await readPem(text)] : readJson(text);
  for (const { kty, d, n } of keys) {
    if (kty === undefined || kty === "oct" || d !== undefined) throw notPublicKeys();
    if (kty === "RSA" && (n ?? "").length < LEAST_MODULUS_LENGTH) {
      throw new TypeError("Cannot use these public keys: an RSA key must have at least 2048 bits");
    }
  }
  try {
    createLocalJWKSet({ keys: [...keys] });
  } catch (error) {
    throw notPublicKeys(error);
  }
  return { keys: [...keys] };
}

async function readPem(text: string): Promise<JWK> {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new TypeError("Cannot use a private key: must be its public half (openssl pkey -in <file> -pubout)");
  }
  for (const algorithm of KEY_TYPES) {
    try {
      return await exportJWK(await importSPKI(text.trim(), algorithm, { extractable: true }));
    } catch {
      // A key of another type, or none: the last word is behind the loop.
    }
  }
  throw notPublicKeys();
}

function readJson(text: string): readonly JWK[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notPublicKeys(error);
  }
  if (!isRecord(value)) throw notPublicKeys();
  const keys: unknown = value.keys ?? [value];
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isRecord)) throw notPublicKeys();
  return keys;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notPublicKeys(cause?: unknown): TypeError {
  return new TypeError("Cannot use these public keys: must be one key as PEM (BEGIN PUBLIC KEY), a JWK or a JWK set", {
    cause,
  });
}
